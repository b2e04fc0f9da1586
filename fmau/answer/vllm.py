"""Ask a vLLM server: it holds a clip after the first request, and constrains closed answers."""

from collections.abc import Mapping
from functools import partial

from fmau.answer.cache_report import CacheReport
from fmau.answer.option_scores import OptionScorer
from fmau.answer.request import ClipParts, build_priming, build_request
from fmau.answer.server import check_server, choose_model
from fmau.core.records import Question
from fmau.families.family import Family
from fmau.frames.clip import ClipFrames
from fmau.prompting.extraction import choices
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.serve.client import ChatClient, ChatRequest, Reply


class Vllm:
    """The way to a model that vLLM serves.

    Args:
        client: of the server, or of the router in front of several.
        family: the model's family; None if it is not known.
        report: gets the number of requests that carry frames.
    """

    def __init__(
        self,
        client: ChatClient,
        recipe: Recipe,
        prompts: PromptSet,
        family: Family | None,
        report: CacheReport,
    ) -> None:
        self._client = client
        self._recipe = recipe
        self._prompts = prompts
        self._family = family
        self._report = report
        self._model = ""
        self._scorer: OptionScorer | None = None

    async def start(self, adapter: str | None) -> None:
        """Find the model's name on the server, and check what the server does with requests.

        Args:
            adapter: folder of the adapter to ask; None for the base model.

        Raises:
            ServerError: the server serves another model, or does not do what the recipe asks for.
        """
        self._model = await choose_model(self._client, self._recipe.model.path, adapter)
        await check_server(self._client, self._model, self._recipe.answer)
        if self._recipe.answer.option_scores:
            self._scorer = OptionScorer(self._client, self._model)
            await self._scorer.check()

    def parts(self, frames: ClipFrames) -> ClipParts:
        """The parts of a request for a clip."""
        return ClipParts.of(frames, self._recipe.frames, as_images=self._recipe.answer.as_images)

    async def prime(self, parts: ClipParts) -> Reply:
        """Let the server compute what all questions about a clip share.

        Raises:
            RequestError: the server refused, or gave no reply after all attempts.
        """
        self._report.uploads += 1
        return await self._client.ask(self._model, build_priming(self._prompts, parts))

    async def ask(
        self, question: Question, parts: ClipParts | None, *, by_reference: bool
    ) -> tuple[Reply, Mapping[str, float] | None]:
        """Ask one question; gives the reply, and the scores of options if the recipe wants them.

        Args:
            parts: the clip; None to ask without a clip.
            by_reference: send only the clip's uuid, because the server holds the clip.

        Raises:
            RequestError: the server refused the content, or gave no reply after all attempts.
            ServerError: the server does not report the scores.
        """
        valid = choices(question)
        firsts = await self._scorer.firsts(valid) if self._scorer else []
        given = (question, self._recipe, self._prompts, parts)
        build = partial(build_request, *given, family=self._family, tokens=firsts)

        def whole() -> ChatRequest:
            self._report.uploads += parts is not None
            return build(by_reference=False)

        first = build(by_reference=True) if by_reference else whole()
        reply = await self._client.ask(self._model, first, resend=whole)
        if self._scorer is None or not valid:
            return reply, None
        return reply, await self._scorer.scores(valid, reply, build)
