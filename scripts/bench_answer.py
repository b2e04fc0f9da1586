"""What each of fmau's ways of asking is worth, on one server in one go. Ratios are what counts.

    python scripts/rehearsal.py QUESTIONS big --height 1296 --width 1080 --clips 10
    python scripts/bench_answer.py recipes/zero_shot_tiny.yaml QUESTIONS big --clips 10

Every way asks the same questions about the same clips at the same frame size, with the same limit
on open answers and the server's caches emptied before:

- the plain runner: questions in the order of the file, each decodes its clip, sends its frames as
  eight images of their own size, waits for an answer in free text, and writes the result file anew.
  The same with 48 questions at once, with closed answers held to their choices, and on a server
  started as vLLM starts it, not as fmau does;
- fmau, through `answer_questions`, decoding and with extracted frames; and its requests alone,
  prepared before the clock starts, which is what this server can do;
- fmau's way with one of its parts taken away at a time.
"""

import argparse
import asyncio
import io
import json
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image

from fmau.answer import answer_questions
from fmau.answer.order import ClipQuestions, by_clip
from fmau.answer.request import ClipParts, build_request
from fmau.core.hardware import usable_cores
from fmau.core.records import Question
from fmau.dataset.clips import clip_path
from fmau.dataset.questions import load_questions
from fmau.frames.cache import build_cache
from fmau.frames.clip import ClipFrames, read_clip
from fmau.frames.decode import decode
from fmau.frames.sampling import sample_indices
from fmau.frames.timeline import probe
from fmau.prompting.prompts import PromptSet, prompts_of
from fmau.recipe import Recipe, load_recipe
from fmau.runs import open_run
from fmau.serve import Server, installed_build, server_argv
from fmau.serve.client import ChatClient, ChatRequest, Endpoint
from fmau.serve.server import VLLM_MODULE, server_environment

PLAIN_AT_ONCE = 48


@dataclass(frozen=True)
class Way:
    """A way of asking; the defaults are fmau's.

    Attributes:
        by_clip: a clip's questions together, not in the order of the file.
        decode_once: a clip is decoded once, not for every question.
        send_once: later questions name a clip that the server holds.
        video: one video with its times, not eight images.
        resized: frames are brought to the model's size before they are sent.
        common_text: text in common to all questions follows the video.
        held: closed answers are held to their choices.
        one_token: and end after the token that settles them.
        at_once: clips (or, in the order of the file, questions) in flight.
        rewrite: write all results anew after every answer.
        prepared: requests are made before the clock starts.
    """

    by_clip: bool = True
    decode_once: bool = True
    send_once: bool = True
    video: bool = True
    resized: bool = True
    common_text: bool = True
    held: bool = True
    one_token: bool = True
    at_once: int = 4
    rewrite: bool = False
    prepared: bool = False


PLAIN = Way(
    by_clip=False,
    decode_once=False,
    send_once=False,
    video=False,
    resized=False,
    common_text=False,
    held=False,
    one_token=False,
    at_once=1,
    rewrite=True,
)


class Bench:
    """One server, one set of questions, and the ways to put them."""

    def __init__(self, recipe: Recipe, questions: Sequence[Question], url: str) -> None:
        self.recipe = recipe
        self.questions = questions
        self.url = url
        self.prompts = prompts_of(recipe)
        self.pool = ThreadPoolExecutor(usable_cores())

    def rate(self, way: Way, clips: int | None = None) -> float:
        """Questions a second that one way answers.

        Args:
            clips: ask about the first so many alone: a slow way has no other rate with more.
        """
        names = sorted({question.clip for question in self.questions})[:clips]
        asked = [question for question in self.questions if question.clip in names]
        self._empty_caches()
        return len(asked) / asyncio.run(self._ask_all(way, asked))

    def fmau_rate(self, folder: Path, cache: Path | None = None) -> float:
        """Questions a second that `answer_questions` answers, start to end.

        Args:
            folder: for the run.
            cache: of extracted frames.
        """
        self._empty_caches()
        data = self.recipe.data.model_copy(update={"cache": cache})
        recipe = self.recipe.model_copy(update={"runs": folder, "data": data})
        with open_run(recipe, self.prompts) as run:
            started = time.perf_counter()
            done = answer_questions(
                run, recipe, self.prompts, self.questions, Endpoint(self.url), progress=False
            )
            seconds = time.perf_counter() - started
        assert done.complete, done.text()
        return len(self.questions) / seconds

    def _empty_caches(self) -> None:
        for cache in ("prefix", "mm", "encoder"):
            with urlopen(Request(f"{self.url}/reset_{cache}_cache", method="POST"), timeout=60):
                pass

    async def _ask_all(self, way: Way, asked: Sequence[Question]) -> float:
        """Seconds that the questions take."""
        groups = by_clip(asked)
        if not way.by_clip:
            groups = [ClipQuestions(q.clip, (q,)) for q in asked]
        ready = {g.clip: self._parts(g.clip) for g in groups} if way.prepared else {}
        waiting = iter(groups)
        replies: dict[str, str] = {}
        async with ChatClient(self.url, in_flight=1000) as client:
            started = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(way.at_once):
                    tasks.create_task(self._worker(way, client, waiting, ready, replies))
            seconds = time.perf_counter() - started
        assert len(replies) == len(asked)
        return seconds

    async def _worker(
        self,
        way: Way,
        client: ChatClient,
        waiting: Iterator[ClipQuestions],
        ready: dict[str, tuple[ClipFrames, ClipParts]],
        replies: dict[str, str],
    ) -> None:
        loop = asyncio.get_running_loop()
        for group in waiting:
            decoded = None
            if way.decode_once:
                decoded = ready.get(group.clip) or await loop.run_in_executor(
                    self.pool, self._parts, group.clip
                )

            async def ask(
                question: Question, *, by_reference: bool, at_hand: Any = decoded
            ) -> None:
                read = self._parts if way.resized else self._whole
                frames, parts = at_hand or await loop.run_in_executor(
                    self.pool, read, question.clip
                )
                request = self._request(way, question, frames, parts, by_reference=by_reference)
                reply = await client.ask(self.recipe.model.path, request)
                replies[question.qid] = reply.text
                if way.rewrite:
                    with tempfile.NamedTemporaryFile("w") as file:
                        json.dump(replies, file)

            first, *others = group.questions
            await ask(first, by_reference=False)
            async with asyncio.TaskGroup() as tasks:
                for question in others:
                    tasks.create_task(ask(question, by_reference=way.send_once))

    def _parts(self, clip: str) -> tuple[ClipFrames, ClipParts]:
        frames = read_clip(clip_path(self.recipe.data.clips, clip), self.recipe.frames)
        return frames, ClipParts.of(frames)

    def _whole(self, clip: str) -> tuple[ClipFrames, ClipParts]:
        """The frames at the size that the clip has."""
        path, spec = clip_path(self.recipe.data.clips, clip), self.recipe.frames
        timeline = probe(path)
        indices = sample_indices(timeline.total_num_frames, spec, timeline.fps)
        jpegs = []
        for pixels_HWC in decode(path, timeline, indices):
            buffer = io.BytesIO()
            Image.fromarray(pixels_HWC).save(buffer, "JPEG", quality=spec.jpeg_quality)
            jpegs.append(buffer.getvalue())
        frames = ClipFrames(
            clip, tuple(jpegs), *pixels_HWC.shape[:2], indices, timeline.fps, len(jpegs), 1.0
        )
        return frames, ClipParts.of(frames)

    def _request(
        self,
        way: Way,
        question: Question,
        frames: ClipFrames,
        parts: ClipParts,
        *,
        by_reference: bool,
    ) -> ChatRequest:
        prompts = self.prompts if way.common_text else _without_common(self.prompts)
        if not way.send_once:  # a payload without a name, as others send it
            payload = [{k: v for k, v in part.items() if k != "uuid"} for part in parts.payload]
            parts = replace(parts, payload=payload)
        request = build_request(question, self.recipe, prompts, parts, by_reference=by_reference)
        fields = dict(request.fields)
        limit = request.max_tokens
        if not way.one_token:
            limit = self.recipe.answer.max_tokens_open
        if not way.held:
            fields.pop("structured_outputs", None)
        if not way.video:
            fields.pop("media_io_kwargs")
            _put_images(request.messages, frames)
        return replace(request, max_tokens=limit, fields=fields)


def _without_common(prompts: PromptSet) -> PromptSet:
    return prompts.model_copy(update={"common": ""})


def _put_images(messages: list[dict[str, Any]], frames: ClipFrames) -> None:
    urls = [f"data:image/jpeg;base64,{b64encode(jpeg).decode()}" for jpeg in frames.jpegs]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    messages[-1]["content"][0:1] = images


@contextmanager
def server_for_all_ways(recipe: Recipe, folder: Path, *, ours: bool = True) -> Iterator[str]:
    """The recipe's server, which also takes images and empties its caches on demand.

    Args:
        ours: with the processes and threads that fmau gives to vLLM's CPU build, not vLLM's own.
    """
    build = installed_build()
    argv = server_argv(recipe, build)
    place = argv.index("--limit-mm-per-prompt") + 1
    argv[place] = json.dumps({"video": 1, "image": recipe.frames.count})
    place = argv.index("--mm-processor-kwargs") + 1
    size = {
        "shortest_edge": recipe.frames.min_pixels_per_frame,
        "longest_edge": recipe.frames.max_pixels_per_frame,
    }
    argv[place] = json.dumps(json.loads(argv[place]) | {"images_kwargs": {"size": size}})
    environment = server_environment(recipe, build) | {"VLLM_SERVER_DEV_MODE": "1"}
    if not ours:
        place = argv.index("--distributed-executor-backend")
        del argv[place : place + 2]
        for name in ("OMP_NUM_THREADS", "VLLM_ENABLE_V1_MULTIPROCESSING"):
            del environment[name]
    command = [sys.executable, "-m", VLLM_MODULE, *argv]
    with Server(command, environment, recipe.serve, folder / "server.log") as server:
        server.wait_ready()
        yield server.base_url


def main() -> None:
    """Print a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("recipe", type=Path)
    options.add_argument("questions", type=Path)
    options.add_argument("clips_folder", type=Path, help="folder of the clips")
    options.add_argument("--clips", type=int, default=40, help="so many clips, 12 questions each")
    options.add_argument("--slow-clips", type=int, default=8, help="for ways without a clip order")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = options.parse_args()
    changes = [f"data.questions={given.questions}", f"data.clips={given.clips_folder}"]
    recipe = load_recipe(given.recipe, [*changes, *given.set])
    asked = load_questions(given.questions).questions
    names = sorted({question.clip for question in asked})[: given.clips]
    asked = tuple(question for question in asked if question.clip in names)
    ours = Way(at_once=recipe.answer.clips_in_flight)
    ways = {
        "fmau's requests alone, prepared": replace(ours, prepared=True),
        "fmau's way in this script": ours,
        "- questions in the order of the file": replace(
            ours, by_clip=False, decode_once=False, at_once=PLAIN_AT_ONCE
        ),
        "- decoded for every question": replace(ours, decode_once=False),
        "- sent with every question": replace(ours, send_once=False),
        "- eight images": replace(ours, video=False, send_once=False),
        "- no text in common": replace(ours, common_text=False),
        "- closed answers to their end": replace(ours, one_token=False),
        "- one clip at a time": replace(ours, at_once=1),
        f"plain runner, {PLAIN_AT_ONCE} at once": replace(PLAIN, at_once=PLAIN_AT_ONCE),
        "plain runner, answers held to their choices": replace(PLAIN, held=True),
        "plain runner": PLAIN,
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        server_for_all_ways(recipe, Path(folder)) as url,
    ):
        bench = Bench(recipe, asked, url)
        bench.rate(ours)  # grammars are compiled, kernels chosen: untimed
        cache = Path(folder) / "cache"
        files = {clip: clip_path(recipe.data.clips, clip) for clip in names}
        build_cache(cache, files, recipe.frames, workers=usable_cores())
        rates = {
            "fmau": bench.fmau_rate(Path(folder) / "decoding"),
            "fmau, frames extracted before": bench.fmau_rate(Path(folder) / "cached", cache),
        }
        for name, way in ways.items():
            few = not way.by_clip or not way.decode_once
            rates[name] = bench.rate(way, clips=given.slow_clips if few else None)
            print(f"{name}: {rates[name]:.1f} questions/s", file=sys.stderr)
    if installed_build() == "cpu":
        with (
            tempfile.TemporaryDirectory() as folder,
            server_for_all_ways(recipe, Path(folder), ours=False) as url,
        ):
            bench = Bench(recipe, asked, url)
            bench.rate(PLAIN, clips=2)
            name = "plain runner, vLLM's own processes and threads"
            rates[name] = bench.rate(PLAIN, clips=given.slow_clips)
    plain, prepared = rates["plain runner"], rates["fmau's requests alone, prepared"]
    print(
        f"{len(asked)} questions about {len(names)} clips; about the first {given.slow_clips} in "
        "ways that decode for every question\n"
    )
    print("| way | questions/s | times the plain runner | of the server alone |")
    print("|---|---:|---:|---:|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:.1f} | {rate / plain:.1f} | {100 * rate / prepared:.0f} % |")


if __name__ == "__main__":
    main()
