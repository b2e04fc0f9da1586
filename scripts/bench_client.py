"""How fast is the client by itself? Questions a second against a server that answers at once.

    python scripts/bench_client.py [--clips 500]

The server is a second process that reads every request and sends a fixed reply, so nearly all the
time is the client's: reading cached frames, building requests, HTTP, reading replies, writing rows.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from fmau.answer.engine import answer_clips
from fmau.answer.order import ClipQuestions
from fmau.core.records import Option, Question
from fmau.core.taxonomy import QUESTIONS_PER_CLIP, Task, parts
from fmau.frames.clip import ClipFrames
from fmau.frames.reader import ClipReader
from fmau.prompting.prompts import prompts_of
from fmau.recipe import FramesBlock, Recipe
from fmau.runs import open_run
from fmau.serve.client import Endpoint

MODEL = "instant"
JPEG_BYTES = 6_000
"""About what a frame of 256 x 256 pixels takes."""


def reply(text: str) -> bytes:
    """A chat completion that says `text`."""
    return json.dumps(
        {
            "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 400, "completion_tokens": 1}
            | {"prompt_tokens_details": {"cached_tokens": 352}},
        }
    ).encode()


def serve_instantly(port_to: Connection) -> None:
    """Answer every request at once; the port goes through `port_to`."""
    closed, probe = reply("A"), reply("fmau-Q7")
    listing = json.dumps({"data": [{"id": MODEL, "root": MODEL, "parent": None}]}).encode()

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.Response(body=listing if "models" in request.path else b"")
        body = await request.read()
        # Yes/no questions name their choices, so one fixed letter would not do for all.
        if b'"Yes"' in body:
            return web.Response(body=reply("Y"))
        return web.Response(body=probe if b"fmau-Q7" in body else closed)

    async def main() -> None:
        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port_to.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def clips_with_questions(count: int) -> Iterator[ClipQuestions]:
    """Twelve questions about each clip, as in the benchmark, made when they are drawn."""
    letters = [Option(chr(65 + i), part.label) for i, part in enumerate(parts())]
    for number in range(count):
        clip = f"clip_{number:06d}"
        yield ClipQuestions(
            clip,
            tuple(
                Question(
                    f"{task}_{number:06d}_{place}",
                    clip,
                    task,
                    "What does the person do?",
                    tuple(letters[: task.option_count]) if task.is_choice else (),
                )
                for task in Task
                for place in range(task.per_clip)
            ),
        )


def cached_clip(path: Path, spec: FramesBlock) -> ClipFrames:
    """Frames as they come out of a cache: bytes of JPEGs, not looked at again."""
    jpeg = path.stem.encode().ljust(JPEG_BYTES, b"\xff")
    return ClipFrames(
        path.stem, (jpeg,) * spec.count, 256, 256, tuple(range(spec.count)), 30.0, 60, 2.0
    )


def main() -> None:
    """Print one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--clips", type=int, default=500, help="12 questions each")
    clips = options.parse_args().clips
    port_from, port_to = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=serve_instantly, args=(port_to,), daemon=True
    )
    process.start()
    url = f"http://127.0.0.1:{port_from.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe.model_validate(
            {
                "name": "bench",
                "runs": folder,
                "model": {"path": MODEL, "dtype": "float32"},
                "data": {"questions": f"{folder}/q.json", "clips": folder},
                "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 65536},
                "prompt": {"set": "zero_shot"},
            }
        )
        prompts = prompts_of(recipe)
        total = clips * QUESTIONS_PER_CLIP
        started, worked = time.perf_counter(), time.process_time()
        with open_run(recipe, prompts) as run:
            done = answer_clips(
                run,
                recipe,
                prompts,
                clips_with_questions(clips),
                Endpoint(url),
                total=total,
                reader=ClipReader(recipe.frames, read=cached_clip),
            )
        seconds = time.perf_counter() - started
        print(
            json.dumps(
                {
                    "questions": total,
                    "questions_per_second": round(total / seconds, 1),
                    "cpu_ms_per_question": round(1000 * (time.process_time() - worked) / total, 3),
                    "statuses": done.statuses,
                    "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
        )
    process.terminate()


if __name__ == "__main__":
    main()
