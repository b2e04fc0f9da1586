"""The cause of a failed start, out of a vLLM log of hundreds of lines.

Each process of vLLM logs its own traceback, and those that merely noticed another one's death log
the last. The cause is the last exception that is not such an echo.
"""

import re
from dataclasses import dataclass

_ORIGIN = re.compile(
    r"^(\([\w-]+ pid=\d+\) )?"  # (EngineCore pid=123)
    r"((DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?"
)
_EXCEPTION = re.compile(r"^([A-Za-z_]\w*\.)*[A-Z]\w*(Error|Exception|Interrupt|Exit)\b(: .*)?$")
_USAGE = re.compile(r"^[\w.-]+(\.py)?: error: ")
_NEXT_THING = re.compile(r"Traceback \(most recent call last\)|^\S+:\d+: \w*Warning: ")
_PYDANTIC_TAIL = re.compile(r" ?\[type=\w+, input_value=.*|^ *For further information visit .*")

_ECHOES = (
    "Engine core initialization failed",
    "initialization failed due to an exception in a background process",
    "See stack trace",
    "See root cause above",
    "EngineDeadError",
    "KeyboardInterrupt",
    "SystemExit",
    "CancelledError",
)
"""Exceptions that only say that another process failed or was told to stop."""

_REMEDIES = (
    (
        r"[Kk][Vv] cache.*(is needed|needed.*larger than)|max_model_len.*KV cache",
        "lower serve.max_model_len, or give the cache more memory "
        "(serve.gpu_memory_utilization; on CPU serve.cpu_kv_cache_gib)",
    ),
    (
        r"OutOfMemoryError|out of memory|[Nn]o available memory for the cache",
        "free the GPU of other programs, or lower serve.max_num_seqs, serve.max_model_len or "
        "frames.max_pixels_per_frame",
    ),
    (
        r"VLLM_CPU_KVCACHE_SPACE",
        "lower serve.cpu_kv_cache_gib, or end programs that use memory",
    ),
    (
        r"[Ff]ree memory on device",
        "another program holds GPU memory: end it, or lower serve.gpu_memory_utilization",
    ),
    (
        r"max_model_len.*greater than the derived",
        "lower serve.max_model_len to what the model was made for",
    ),
    (
        r"infer device type|[Nn]o CUDA GPUs|NVIDIA driver",
        "this is the GPU build of vLLM on a machine where no GPU is usable; "
        "on a machine without one install fmau[serve-cpu] in its own environment",
    ),
    (
        r"unrecognized arguments|invalid choice",
        "this vLLM does not know an option that fmau sets; install the version that fmau pins",
    ),
    (
        r"Failed core proc\(s\): \{.*: -9\}|killed by SIGKILL",
        "the operating system killed it, most often for lack of memory: end other programs or "
        "lower serve.cpu_kv_cache_gib",
    ),
    (
        r"not a valid model identifier|couldn't connect|offline mode|LocalEntryNotFound",
        "download the checkpoint beforehand and give its folder as model.path",
    ),
    (r"[Aa]ddress already in use", "choose another port: --set serve.port=NUMBER"),
)

LINES_SHOWN = 6
LINE_LENGTH = 300
TAIL_LINES = 3


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the log: `origin` is process, level, time and place as logged, `text` the rest.

    All lines of one message have the same origin (none, for what is printed instead of logged).
    """

    origin: str
    text: str


def last_line(log: str) -> str:
    """The text of the last line that has any."""
    said = [line.text.strip() for line in _lines(log) if line.text.strip()]
    return said[-1] if said else ""


def find_cause(log: str) -> str:
    """What ended the server, in at most `LINES_SHOWN` lines; the log's tail if it does not say.

    Args:
        log: everything the server wrote since it was started.
    """
    lines = _lines(log)
    raised = [
        index
        for index, line in enumerate(lines)
        if _EXCEPTION.match(line.text) or _USAGE.match(line.text)
    ]
    own = [index for index in raised if not any(echo in lines[index].text for echo in _ECHOES)]
    if raised:
        # A killed process leaves no exception of its own; then the echo is all there is.
        return "\n".join(_message(lines[(own or raised)[-1] :]))
    said = [line.text.strip() for line in lines if line.text.strip()]
    return "\n".join(said[-TAIL_LINES:]) or "the server wrote nothing"


def remedy(cause: str) -> str | None:
    """What the user can change, for the causes that recipes bring about; else None."""
    for pattern, advice in _REMEDIES:
        if re.search(pattern, cause):
            return advice
    return None


def _lines(log: str) -> list[_Line]:
    lines = []
    for line in log.splitlines():
        origin = _ORIGIN.match(line)
        assert origin is not None, "every part of it is optional"
        lines.append(_Line(origin.group(), line[origin.end() :]))
    return lines


def _message(lines: list[_Line]) -> list[str]:
    """A first line and those of the same message: up to a blank line or something else's start."""
    message: list[str] = []
    for line in lines[:LINES_SHOWN]:
        another = line.origin != lines[0].origin or _NEXT_THING.search(line.text)
        if another or not line.text.strip():
            break
        kept = _PYDANTIC_TAIL.sub("", line.text).rstrip()
        if kept:
            message.append(kept if len(kept) <= LINE_LENGTH else kept[:LINE_LENGTH] + " ...")
    return message
