"""Finding the cause of a failed start in logs of the shape that vLLM 0.32 writes."""

import pytest

from fmau.serve.logcause import find_cause, last_line, remedy

HEAD = "(EngineCore pid=298) ERROR 11-22 22:05:31 [core.py:1210] "
API = "(APIServer pid=837) "


def log(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def engine_died(error: str) -> str:
    return log(
        API + "INFO 11-22 22:05:22 [model.py:733] Resolved architecture: Qwen3VL",
        HEAD + "EngineCore failed to start.",
        HEAD + "Traceback (most recent call last):",
        HEAD + '  File "vllm/v1/engine/core.py", line 1200, in run_engine_core',
        HEAD + "    engine_core = EngineCoreProc(*args)",
        HEAD + error,
        "(EngineCore pid=298) INFO 11-22 22:05:31 [executor.py:9] workers exited",
        "(EngineCore pid=298) Process EngineCore:",
        "(EngineCore pid=298) Traceback (most recent call last):",
        "(EngineCore pid=298)     self.run()",
        "(EngineCore pid=298) " + error,
        "(EngineCore pid=298) INFO 11-22 22:05:32 [executor.py:9] [shutdown] all workers exited",
        API + "Traceback (most recent call last):",
        API + '  File "<frozen runpy>", line 198, in _run_module_as_main',
        API + "RuntimeError: Engine core initialization failed. See root cause above. "
        "Failed core proc(s): {'EngineCore': 1}",
        "leaked semaphore objects to clean up at shutdown",
        "  warnings.warn('resource_tracker')",
    )


def test_the_engines_error_is_the_cause_not_the_servers_echo() -> None:
    text = engine_died("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.")
    cause = find_cause(text)
    assert cause == "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB."
    assert "serve.max_model_len" in (remedy(cause) or "")


def test_an_indented_message_belongs_to_the_cause() -> None:
    text = log(
        API + "    s.__pydantic_validator__.validate_python()",
        API + "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig",
        API + "  Value error, User-specified max_model_len (8192) is greater than the derived "
        "max_model_len (4096). [type=value_error, input_value=ArgsKwargs(()), input_type=X]",
        API + "    For further information visit https://errors.pydantic.dev",
        "/usr/lib/resource_tracker.py:254: UserWarning: leaked semaphore objects",
    )
    cause = find_cause(text)
    assert cause.splitlines()[0].startswith("pydantic_core._pydantic_core.ValidationError")
    assert cause.splitlines()[1].endswith("(4096).")
    assert len(cause.splitlines()) == 2, "neither pydantic's link nor the next warning"
    assert remedy(cause) == "lower serve.max_model_len to the maximum of the model, named above"


def test_a_message_of_several_lines() -> None:
    text = log("ValueError: no tokenizer from one of:", "(1) a file", "(2) a class", "", "bye")
    assert find_cause(text).splitlines()[1:] == ["(1) a file", "(2) a class"]


def test_a_killed_engine_leaves_only_the_echo() -> None:
    text = log(
        API + "Traceback (most recent call last):",
        API + "RuntimeError: Engine core initialization failed. See root cause above. "
        "Failed core proc(s): {'EngineCore': -9}",
    )
    assert "'EngineCore': -9" in find_cause(text)
    assert "memory" in (remedy(find_cause(text)) or "")


def test_a_refused_option() -> None:
    text = "usage: api_server.py [-h]\napi_server.py: error: unrecognized arguments: --foo\n"
    assert find_cause(text) == "api_server.py: error: unrecognized arguments: --foo"
    assert "version that fmau pins" in (remedy(find_cause(text)) or "")


def test_without_an_exception_the_tail_is_shown() -> None:
    assert find_cause("one\ntwo\n\nthree\nfour\n") == "two\nthree\nfour"
    assert find_cause("\n") == "the server wrote nothing"


def test_an_unknown_cause_has_no_remedy() -> None:
    assert remedy("ValueError: something else") is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (API + "INFO 11-22 22:05:44 [entry.py:136] Supported tasks: ['generate']",
         "Supported tasks: ['generate']"),
        ("INFO:     Application startup complete.", "INFO:     Application startup complete."),
        ("", ""),
    ],
)  # fmt: skip
def test_the_last_line_is_shown_bare(line: str, shown: str) -> None:
    assert last_line(f"before\n{line}\n\n" if line else "") == shown
