"""docs/troubleshooting.md against what fmau says: every quoted error is provoked."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from fmau.cli import main as fmau
from fmau.core.errors import FmauError
from fmau.core.taxonomy import Task
from fmau.dataset.training import load_training_data
from fmau.demo.tiny import CHECKPOINT
from fmau.families.load import load_model
from fmau.frames.cache import build_cache
from fmau.frames.timeline import MAX_CLIP_PIXELS, MAX_FRAMES, MAX_PIXELS
from fmau.prompting.prompts import load_prompts
from fmau.recipe import LoraBlock, Recipe, TrainBlock, load_recipe
from fmau.runs import open_run
from fmau.serve.adapter_config import WEIGHTS
from fmau.train import settings
from fmau.train.adapter import add_adapter
from fmau.train.base import load_base
from fmau.train.checkpoints import mark_complete, resume_point
from fmau.train.run import train_adapter
from fmau.train.settings import training_arguments
from fmau.train.start import check_start
from tests.answer.small_run import PROMPTS
from tests.answer.stub_server import MODEL, StubServer
from tests.clips import write_clip
from tests.docs.pages import Marked, marked
from tests.paths import RECIPES, REPO
from tests.question_rows import question_rows, write_questions
from tests.serve.support import ANSWERING, fake_server, free_port

PAGE = "troubleshooting.md"
QUOTES = {quote.name: quote for quote in marked(PAGE, "error")}
FIELDS = ("overall_overview", "timeline_description", "key_part_details", "judgment_basis")


class Desk:
    """A folder with one clip, its twelve questions and some captions; commands run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        (folder / "clips").mkdir()
        write_clip(folder / "clips/nod.mp4", 20)
        write_questions(folder / "q.json", ["nod"], marked=True)
        self.write_captions([f"clip{number}" for number in range(4)])

    def write_captions(self, clips: list[str], participant: bool = True) -> None:
        """A caption file about these clips, each of another person."""
        caption = {**dict.fromkeys(FIELDS, "The head nods."), "conclusive_summary": "A nod."}
        rows = [
            {"video": clip, "caption": caption} | ({"participant": clip} if participant else {})
            for clip in clips
        ]
        (self.folder / "captions.json").write_text(json.dumps(rows), "utf-8")

    def settings(self, *more: str) -> list[str]:
        """The tiny recipe's data replaced by what is in the folder."""
        given = {
            "name": "run",
            "runs": self.folder / "runs",
            "model.path": CHECKPOINT,
            "data.questions": self.folder / "q.json",
            "data.clips": self.folder / "clips",
            "serve.port": free_port(),
        }
        return [f"{key}={value}" for key, value in given.items()] + list(more)

    def training(self, *more: str) -> list[str]:
        """The same for a recipe that trains."""
        data = f"train.data={{captions: {self.folder}/captions.json, clips: {self.folder}/clips, "
        data += f"cache: {self.folder}/cache, benchmarks: [{self.folder}/q.json]}}"
        return self.settings(data, "train.mixture={caption: 1}", *more)

    def recipe(self, name: str, settings: list[str]) -> Recipe:
        return load_recipe(name, settings)

    def trained(self, settings: list[str]) -> tuple[Recipe, TrainBlock]:
        """A recipe that trains, and its block."""
        recipe = self.recipe(LORA, settings)
        assert recipe.train is not None
        return recipe, recipe.train

    def run(self, command: str, target: object, settings: list[str], *options: str) -> str:
        """What a command that must fail says behind "error:"."""
        argv = ["fmau", command, str(target), *options]
        argv += [word for setting in settings for word in ("--set", setting)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", argv)
            with pytest.raises(SystemExit) as ended:
                fmau()
        said = self._capsys.readouterr().err
        assert ended.value.code == 1, said
        return said.partition("error: ")[2]


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FMAU_API_KEY", raising=False)
    return Desk(tmp_path, capsys)


TINY = "zero_shot_tiny"
LORA = "lora_tiny"


def said_by(call: Callable[[], object]) -> str:
    with pytest.raises(FmauError) as raised:
        call()
    return str(raised.value)


def unknown_key(desk: Desk) -> str:
    text = (RECIPES / "zero_shot_tiny.yaml").read_text("utf-8")
    path = desk.folder / "mine.yaml"
    path.write_text(text.replace("  dtype: float32\n", "  dtype: float32\n  datatype: x\n"))
    return desk.run("check", path, [])


def pipe(desk: Desk) -> str:
    os.mkfifo(desk.folder / "pipe")
    return desk.run("check", TINY, desk.settings(f"data.questions={desk.folder / 'pipe'}"))


def bad_rows(desk: Desk) -> str:
    rows = question_rows("nod")
    rows[0] |= {"task": "XYZ"}
    rows[1] |= {"video_name": "../a"}
    del rows[2]["qid"]
    (desk.folder / "q.json").write_text(json.dumps(rows), "utf-8")
    return desk.run("check", TINY, desk.settings())


def missing_clips(desk: Desk) -> str:
    write_questions(desk.folder / "q.json", ["nod", "wave"])
    return desk.run("check", TINY, desk.settings())


def broken_clip(desk: Desk) -> str:
    clip = desk.folder / "clips/nod.mp4"
    clip.write_bytes(clip.read_bytes()[:200])
    return desk.run("check", TINY, desk.settings())


def no_vllm(desk: Desk) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        return desk.run("serve", TINY, desk.settings())


def port_in_use(desk: Desk) -> str:
    with fake_server(desk.folder, ANSWERING) as other:
        other.wait_ready()
        return desk.run("serve", TINY, desk.settings(f"serve.port={other.serve.port}"))


def other_model(desk: Desk) -> str:
    with StubServer() as server:
        return desk.run("answer", TINY, desk.settings(), "--server", server.base_url)


def other_adapter(desk: Desk) -> str:
    adapter = desk.folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    settings = desk.settings(f"model.path={MODEL}")
    with StubServer() as server:
        options = ("--server", server.base_url, "--adapter", str(adapter))
        return desk.run("answer", TINY, settings, *options)


def opened(desk: Desk) -> Path:
    """A run without answers."""
    recipe = desk.recipe(TINY, desk.settings())
    with open_run(recipe, PROMPTS) as run:
        return run.folder


def other_conditions(desk: Desk) -> str:
    first = desk.settings()
    recipe = desk.recipe(TINY, first)
    with open_run(recipe, load_prompts(recipe.prompt.set)):
        pass
    return desk.run("answer", TINY, [*first, "frames.count=16"])


def locked(desk: Desk) -> str:
    settings = desk.settings()
    folder = desk.recipe(TINY, settings).run_folder
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        return desk.run("answer", TINY, settings)


def damaged_row(desk: Desk) -> str:
    folder = opened(desk)
    row = {"qid": "a", "clip": "c", "task": Task.MAS, "fingerprint": "f", "status": "unparsed"}
    lines = [json.dumps(row), json.dumps(row), json.dumps(row | {"qid": 1})]
    (folder / "answers.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return desk.run("score", folder, [])


def run_from_elsewhere(desk: Desk) -> str:
    folder = opened(desk)
    (desk.folder / "q.json").unlink()
    return desk.run("score", folder, [])


def stale_run(desk: Desk) -> str:
    folder = opened(desk)
    row = {"qid": "a", "clip": "c", "task": Task.MAS, "fingerprint": "f", "status": "unparsed"}
    (folder / "answers.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    return desk.run("score", folder, [])


def benchmark_clip(desk: Desk) -> str:
    desk.write_captions(["nod", "other"])
    return desk.run("check", LORA, desk.training())


def no_participant(desk: Desk) -> str:
    desk.write_captions(["one", "other"], participant=False)
    return desk.run("check", LORA, desk.training())


def no_frame_cache(desk: Desk) -> str:
    settings = desk.training("train.data.validation_share=0")
    return said_by(lambda: train_adapter(desk.recipe(LORA, settings)))


def other_frames(desk: Desk) -> str:
    cache = f"data.cache={desk.folder / 'frames'}"
    settings = desk.settings(cache)
    build_cache(desk.folder / "frames", {}, desk.recipe(TINY, settings).frames, workers=1)
    return desk.run("frames", TINY, [*settings, "frames.count=16"])


def batch_and_processes(desk: Desk) -> str:
    recipe, train = desk.trained(desk.training("train.batch_size=12"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORLD_SIZE", "8")
        return said_by(lambda: training_arguments(recipe, train, validated=False))


def other_number_format(desk: Desk) -> str:
    recipe, train = desk.trained(desk.training())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
        return said_by(lambda: training_arguments(recipe, train, validated=False))


def four_bits(desk: Desk) -> str:
    recipe, train = desk.trained(desk.training("train.lora={base_4bit: true}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fmau.train.base.find_spec", lambda name: None)
        return said_by(lambda: load_base(recipe, train))


def little_shared_memory(desk: Desk) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SHARED_MEMORY", desk.folder)
        return said_by(lambda: settings.check_shared_memory(2**60))


def served(desk: Desk, *, config: dict[str, Any] | None = None, prefix: str = "") -> str:
    """What `fmau serve` says to an adapter on the checkpoint, after a change of it."""
    adapter = desk.folder / "adapter"
    model = load_model(str(CHECKPOINT), None, torch.float32)
    add_adapter(model, LoraBlock()).save_pretrained(adapter)
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | (config or {})), "utf-8")
    tensors = load_file(adapter / WEIGHTS)
    save_file({prefix + name: tensor for name, tensor in tensors.items()}, adapter / WEIGHTS)
    return desk.run("serve", TINY, desk.settings(), "--adapter", str(adapter))


def missing_weights(desk: Desk) -> str:
    copy = Path(shutil.copytree(CHECKPOINT, desk.folder / "model"))
    stored = load_file(copy / "model.safetensors")
    del stored["model.visual.patch_embed.proj.bias"]
    save_file(stored, copy / "model.safetensors", metadata={"format": "pt"})
    recipe, train = desk.trained(desk.training(f"model.path={copy}"))
    return said_by(lambda: load_base(recipe, train))


def replaced_clip(desk: Desk) -> str:
    """The clip's file is newer than its frames."""
    settings = desk.training("train.data.validation_share=0", "train.data.benchmarks=[]")
    desk.write_captions(["nod"])
    recipe, train = desk.trained(settings)
    clip = desk.folder / "clips/nod.mp4"
    build_cache(train.data.cache, {"nod": clip}, recipe.frames, workers=1)
    write_clip(clip, 30)
    return said_by(lambda: train_adapter(recipe))


def other_training(desk: Desk) -> str:
    check_start(desk.folder, {"train": {"lora": {"alpha": 32.0}}})
    checkpoint_in(desk.folder / "train")
    return said_by(lambda: check_start(desk.folder, {"train": {"lora": {"alpha": 64.0}}}))


def checkpoint_in(folder: Path) -> Path:
    """A complete checkpoint, written by eight processes."""
    checkpoint = folder / "checkpoint-100"
    checkpoint.mkdir()
    (checkpoint / "optimizer.pt").write_bytes(b"moments")
    mark_complete(checkpoint, sharing="ZeRO-2", processes=8)
    return checkpoint


def damaged_checkpoint(desk: Desk) -> str:
    (checkpoint_in(desk.folder) / "optimizer.pt").unlink()
    return said_by(lambda: resume_point(desk.folder, sharing="ZeRO-2", processes=8))


def other_processes(desk: Desk) -> str:
    checkpoint_in(desk.folder)
    return said_by(lambda: resume_point(desk.folder, sharing="ZeRO-2", processes=4))


def too_few(desk: Desk) -> str:
    _, train = desk.trained(desk.training("train.batch_size=240", "train.data.validation_share=0"))
    data = load_training_data(train)
    return said_by(lambda: train.steps(len(data.sequences(1))))


PROVOKED: dict[str, Callable[[Desk], str]] = {
    "unknown recipe": lambda desk: desk.run("check", "no_such", []),
    "unknown key": unknown_key,
    "unknown setting": lambda desk: desk.run("check", TINY, ["serve.prot=1"]),
    "bad value": lambda desk: desk.run("check", TINY, desk.settings("frames.count=7")),
    "no question file": lambda desk: desk.run(
        "check", TINY, desk.settings("data.questions=x.json")
    ),
    "pipe": pipe,
    "bad rows": bad_rows,
    "missing clips": missing_clips,
    "broken clip": broken_clip,
    "no vllm": no_vllm,
    "port in use": port_in_use,
    "other model": other_model,
    "other adapter": other_adapter,
    "foreign adapter": lambda desk: served(desk, prefix="base_model.model.model."),
    "contradicting ranks": lambda desk: served(desk, config={"r": 8}),
    "DoRA": lambda desk: served(desk, config={"use_dora": True}),
    "no server": lambda desk: desk.run(
        "answer", TINY, desk.settings(), "--server", f"http://127.0.0.1:{free_port(8400)}"
    ),
    "context": lambda desk: desk.run("serve", TINY, desk.settings("serve.max_model_len=300")),
    "open host": lambda desk: desk.run("serve", TINY, desk.settings("serve.host=0.0.0.0")),
    "other conditions": other_conditions,
    "no run": lambda desk: desk.run("score", desk.folder, []),
    "run from elsewhere": run_from_elsewhere,
    "stale run": stale_run,
    "locked": locked,
    "damaged row": damaged_row,
    "unanswered": lambda desk: desk.run("submit", opened(desk), [], "--team", "T"),
    "nothing to judge": lambda desk: desk.run("judge", opened(desk), []),
    "benchmark clip": benchmark_clip,
    "no participant": no_participant,
    "no frame cache": no_frame_cache,
    "other frames": other_frames,
    "replaced clip": replaced_clip,
    "other training": other_training,
    "damaged checkpoint": damaged_checkpoint,
    "other processes": other_processes,
    "too few sequences": too_few,
    "batch and processes": batch_and_processes,
    "missing weights": missing_weights,
    "other number format": other_number_format,
    "4 bit": four_bits,
    "shared memory": little_shared_memory,
}


def as_pattern(quote: Marked) -> re.Pattern[str]:
    """A quote as a regular expression; "…" stands for anything, a line end for any white space."""
    pieces = [re.escape(" ".join(piece.split())) for piece in quote.text.split("…")]
    return re.compile(".*?".join(pieces).strip().replace(r"\ ", r"\s+"), re.DOTALL)


def test_every_quote_is_provoked() -> None:
    assert set(QUOTES) == set(PROVOKED)


@pytest.mark.parametrize("name", PROVOKED)
def test_fmau_says_what_the_page_quotes(name: str, desk: Desk) -> None:
    said = PROVOKED[name](desk)
    assert as_pattern(QUOTES[name]).search(said), said


def test_a_quote_without_names_of_ones_own_matches_nothing_else() -> None:
    pattern = as_pattern(Marked("error", "x", ("port … is in use; end it",)))
    assert pattern.search("port 8000 is in use;\n end it")
    assert not pattern.search("port 8000 is taken; end it")


def test_the_bounds_on_clips_are_those_of_the_code() -> None:
    page = (REPO / "docs" / PAGE).read_text("utf-8")
    assert f"more than {MAX_PIXELS:,} pixels" in page
    assert f"more than {MAX_FRAMES:,} frames" in page
    assert f"more than {MAX_CLIP_PIXELS:,}" in page
