"""Find the cause of a failed start in a vLLM log of hundreds of lines; `server.py` reports it.

Each process of vLLM logs its own traceback. Processes that only noticed the death of another one
log last; their exceptions are *echoes*. The cause is the last exception that is not an echo.
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
"""Exceptions that only say that another process failed, or that someone stopped it."""

_REMEDIES = (
    (
        r"[Kk][Vv] cache.*(is needed|needed.*larger than)|max_model_len.*KV cache",
        "lower serve.max_model_len, or give the cache more memory "
        "(serve.gpu_memory_utilization; on CPU serve.cpu_kv_cache_gib)",
    ),
    (
        r"OutOfMemoryError|out of memory|[Nn]o available memory for the cache",
        "end other programs on the GPU, or lower serve.max_num_seqs, serve.max_model_len or "
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
        "lower serve.max_model_len to the maximum of the model, named above",
    ),
    (
        r"infer device type|[Nn]o CUDA GPUs|NVIDIA driver",
        "the GPU build of vLLM is installed, but it finds no usable GPU; "
        "on a machine without a GPU install fmau[serve-cpu] in an environment of its own",
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
        "download the checkpoint first, then give its folder as model.path",
    ),
    (r"[Aa]ddress already in use", "choose another port: --set serve.port=NUMBER"),
)

LINES_SHOWN = 6
LINE_LENGTH = 300
TAIL_LINES = 3


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the log. `origin` is its prefix (process, level, time, place), `text` the rest.

    All lines of one message have the same origin. Printed lines have an empty origin.
    """

    origin: str
    text: str


def last_line(log: str) -> str:
    """The text of the last line that is not blank; "" if there is none."""
    said = [line.text.strip() for line in _lines(log) if line.text.strip()]
    return said[-1] if said else ""


def find_cause(log: str) -> str:
    """The message that explains why the server ended, in at most `LINES_SHOWN` lines.

    If the log has no exception, its last `TAIL_LINES` lines.

    Args:
        log: everything that the server wrote since its start.
    """
    lines = _lines(log)
    raised = [
        index
        for index, line in enumerate(lines)
        if _EXCEPTION.match(line.text) or _USAGE.match(line.text)
    ]
    own = [index for index in raised if not any(echo in lines[index].text for echo in _ECHOES)]
    if raised:
        # A killed process logs no exception; then only echoes are left.
        return "\n".join(_message(lines[(own or raised)[-1] :]))
    said = [line.text.strip() for line in lines if line.text.strip()]
    return "\n".join(said[-TAIL_LINES:]) or "the server wrote nothing"


def remedy(cause: str) -> str | None:
    """The advice for a cause that the user can change; None for other causes."""
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
    """The first line and the next lines of its message, up to a blank line or another message."""
    message: list[str] = []
    for line in lines[:LINES_SHOWN]:
        another = line.origin != lines[0].origin or _NEXT_THING.search(line.text)
        if another or not line.text.strip():
            break
        kept = _PYDANTIC_TAIL.sub("", line.text).rstrip()
        if kept:
            message.append(kept if len(kept) <= LINE_LENGTH else kept[:LINE_LENGTH] + " ...")
    return message
