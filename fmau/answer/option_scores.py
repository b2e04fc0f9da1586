"""Scores of options: the log-probability that the model gives each answer of a closed question.

The request that answers the question names the first tokens of all answers. vLLM allows only these
and reports their log-probabilities, raw: as the model gives them among all tokens, not
renormalised over the allowed ones. Where every answer is one token (letters are, in the tokenizers
of the families), that is all. Longer answers form a trie: each place where an answer goes on costs
one more request of one token, with the answer's beginning as the assistant's opened turn; the
server finds the prompt in its prefix cache.

The client has no tokenizer. The server tells how answers are tokenized, and that they are tokenized
alike behind a prompt; else the scores would be those of other tokens.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fmau.answer.thinking import OFF
from fmau.core.errors import ServerError
from fmau.serve.client import ChatClient, ChatRequest, Reply, RequestError

Ids = tuple[int, ...]

NextScores = Callable[[str, Collection[int]], Awaitable[Mapping[int, float]]]
"""Asks for the log-probabilities of tokens after a prompt and the beginning of an answer."""

HELLO = [{"role": "user", "content": "Hello."}]


@dataclass(frozen=True, slots=True)
class AnswerTokens:
    """How the server tokenizes answers.

    Attributes:
        ids: answer -> its token ids.
        texts: beginning of an answer, as token ids -> its text.
    """

    ids: dict[str, Ids]
    texts: dict[Ids, str]

    def firsts(self, valid: Iterable[str]) -> list[int]:
        """The different first tokens of some answers, in order."""
        return list(dict.fromkeys(self.ids[answer][0] for answer in valid))


def score_fields(tokens: Sequence[int]) -> dict[str, Any]:
    """Request fields that allow only these tokens and report their log-probabilities."""
    return {
        "allowed_token_ids": list(tokens),
        "logprobs": True,
        "logprob_token_ids": list(tokens),
        "return_tokens_as_token_ids": True,
    }


async def option_scores(
    tokens: AnswerTokens, valid: Sequence[str], first: Mapping[int, float], ask: NextScores
) -> dict[str, float]:
    """The log-probability of each answer: the sum over its tokens.

    It is that of all replies which begin with the answer, for an answer that begins another one
    too. MA-Bench has no such answers.

    Args:
        valid: the answers.
        first: log-probabilities of `tokens.firsts(valid)` after the prompt.
        ask: asks for the log-probabilities of further tokens; not called if every answer is one
            token.
    """
    known: dict[Ids, Mapping[int, float]] = {(): first}
    for length in range(1, max(len(tokens.ids[answer]) for answer in valid)):
        longer = [tokens.ids[answer] for answer in valid if len(tokens.ids[answer]) > length]
        for begun in dict.fromkeys(ids[:length] for ids in longer):
            nexts = sorted({ids[length] for ids in longer if ids[:length] == begun})
            known[begun] = await ask(tokens.texts[begun], nexts)
    return {
        answer: math.fsum(known[ids[:place]][ids[place]] for place in range(len(ids)))
        for answer in valid
        for ids in [tokens.ids[answer]]
    }


class OptionScorer:
    """Asks a server for the scores of options; how it tokenizes an answer is asked only once.

    Args:
        client: of the server.
        model: name of the model in requests.
    """

    def __init__(self, client: ChatClient, model: str) -> None:
        self._client = client
        self._model = model
        self._tokens = AnswerTokens({}, {})
        self._reading = asyncio.Lock()
        self._prompt: tuple[str, Ids] | None = None

    async def tokens(self, answers: Sequence[str]) -> AnswerTokens:
        """The tokens of these answers; at the first call, checks that their scores are reported.

        Raises:
            ServerError: the server does not tell, tokenizes an answer otherwise behind a prompt, or
                does not report log-probabilities of given tokens.
        """
        async with self._reading:
            for answer in answers:
                if answer not in self._tokens.ids:
                    await self._read(answer)
        return self._tokens

    async def firsts(self, valid: Sequence[str]) -> list[int]:
        """The first tokens of the answers to a question; errors as for `tokens`."""
        return (await self.tokens(valid)).firsts(valid) if valid else []

    async def scores(
        self, valid: Sequence[str], reply: Reply, build: Callable[..., ChatRequest]
    ) -> dict[str, float]:
        """Answer -> log-probability, from the reply and from further requests where needed.

        Args:
            valid: the answers to the question; none for an open one, which has no scores.
            reply: to the request with `score_fields` of their first tokens.
            build: builds that request; with `by_reference`, without the clip's frames.

        Raises:
            RequestError, ServerError: as from `ChatClient.ask`.
        """

        async def ask(begun: str, following: Collection[int]) -> Mapping[int, float]:
            def further(*, by_reference: bool) -> ChatRequest:
                first = build(by_reference=by_reference)
                said = {"role": "assistant", "content": begun}
                opened = {"add_generation_prompt": False, "continue_final_message": True}
                fields = {**first.fields, **score_fields(list(following)), **opened}
                return replace(first, messages=[*first.messages, said], fields=fields)

            found = await self._client.ask(
                self._model,
                further(by_reference=True),
                resend=lambda: further(by_reference=False),
            )
            return found.logprobs or {}

        if not valid:
            return {}
        return await option_scores(await self.tokens(valid), valid, reply.logprobs or {}, ask)

    async def check(self) -> None:
        """Check that the server reports log-probabilities of given tokens.

        Raises:
            ServerError: it does not.
        """
        firsts = (await self.tokens(("A", "B"))).firsts(("A", "B"))
        request = ChatRequest(HELLO, 1, {**OFF, **score_fields(firsts), "temperature": 0})
        try:
            reply = await self._client.ask(self._model, request)
        except RequestError as error:
            raise self._unable(f"a first request for scores of options failed: {error}") from None
        if not set(firsts) <= (reply.logprobs or {}).keys():
            raise self._unable("the server reports no log-probabilities of tokens that it is given")

    async def _read(self, answer: str) -> None:
        if self._prompt is None:
            asked = {"messages": HELLO, "add_generation_prompt": True}
            prompt = await self._tokenized(asked)
            self._prompt = await self._text(prompt), prompt
        text, prompt = self._prompt
        ids = await self._tokenized({"prompt": answer})
        if await self._tokenized({"prompt": text + answer}) != prompt + ids:
            raise self._unable(f"behind a prompt, {answer!r} has other tokens than alone")
        for length in range(1, len(ids)):
            self._tokens.texts[ids[:length]] = await self._text(ids[:length])
        self._tokens.ids[answer] = ids

    async def _tokenized(self, what: Mapping[str, Any]) -> Ids:
        asked = {"model": self._model, "add_special_tokens": False, **OFF, **what}
        tokens = (await self._client.post("/tokenize", asked)).get("tokens")
        if not isinstance(tokens, list):
            raise self._unable("the server does not tell how it tokenizes (/tokenize)")
        return tuple(tokens)

    async def _text(self, tokens: Sequence[int]) -> str:
        asked = {"model": self._model, "tokens": list(tokens)}
        return str((await self._client.post("/detokenize", asked)).get("prompt"))

    def _unable(self, why: str) -> ServerError:
        return ServerError(
            f"{self._client.base_url}: {why}; set answer.option_scores to false, or use the vLLM "
            "that fmau pins"
        )
