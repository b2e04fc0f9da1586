"""The proof that no work was done twice, on sessions whose truth is known."""

from pathlib import Path

from fmau.answer.cache_report import CacheReport, EncoderLog
from fmau.serve.client import Reply

VISUAL, SHARED, PROMPT = 120, 160, 215
"""A clip's visual tokens; what the server shares between questions, in whole blocks; a prompt."""


def reply(cached: int, prompt: int = PROMPT) -> Reply:
    return Reply("A", "stop", prompt, cached, 1)


def session(clips: int, *, missed: int = 0, uploads: int | None = None) -> CacheReport:
    """Twelve questions about each clip; `missed` of all later ones found nothing in the cache."""
    report = CacheReport(decodes=clips, uploads=clips if uploads is None else uploads)
    for _ in range(clips):
        report.first_reply(reply(0))
        for _ in range(11):
            missed -= 1
            report.later_reply(reply(0 if missed >= 0 else SHARED), VISUAL)
    report.encoder_runs = clips
    return report


def test_a_perfect_session_is_at_its_ideal() -> None:
    report = session(50)
    assert set(report.shares().values()) == {1.0}
    assert report.computed_tokens == report.needed_tokens == 50 * (PROMPT + 11 * (PROMPT - SHARED))
    assert report.warnings() == []
    assert "550 of 550 later questions found their clip" in report.text()


def test_evicted_clips_are_told() -> None:
    report = session(50, missed=110)
    assert report.shares()["found in the prefix cache"] == 440 / 550
    assert report.computed_tokens - report.needed_tokens == 110 * SHARED
    (warning,) = report.warnings()
    assert "lower answer.clips_in_flight" in warning


def test_a_few_misses_are_no_warning() -> None:
    assert session(50, missed=5).warnings() == []


def test_the_vision_tower_at_work_again_is_told() -> None:
    report = session(50)
    report.encoder_runs = 550
    (warning,) = report.warnings()
    assert "550 runs of the vision tower for 50 clips" in warning
    assert "shorter than a KV block" in warning


def test_images_are_encoded_one_by_one_and_other_system_prompts_share_nothing() -> None:
    report = CacheReport(decodes=2, uploads=2, encoder_runs=16)
    for _ in range(2):
        report.first_reply(reply(0), 8)
        report.later_reply(reply(32), VISUAL, shares=False)
        report.later_reply(reply(SHARED), VISUAL)
    assert report.shares()["encoded"] == 1.0
    assert report.shares()["found in the prefix cache"] == 1.0
    assert report.needed_tokens == 2 * (2 * PROMPT + PROMPT - SHARED)
    assert report.computed_tokens == report.needed_tokens - 2 * 32
    report.encoder_runs = 32
    (warning,) = report.warnings()
    assert "32 runs of the vision tower for 16 images of 2 clips" in warning


def test_repeated_uploads_are_told() -> None:
    (warning,) = session(50, uploads=60).warnings()
    assert "60 uploads of 50 clips" in warning


def test_a_server_that_does_not_count_is_not_accused() -> None:
    report = CacheReport(decodes=1, uploads=1)
    report.first_reply(Reply("A", "stop", None, None, None))
    report.later_reply(Reply("A", "stop", None, None, None), VISUAL)
    assert report.warnings() == []
    assert report.shares() == {"decoded": 1.0, "sent": 1.0}
    assert "vision tower not counted" in report.text()


def test_runs_of_the_vision_tower_are_read_from_the_log_that_grew(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("INFO Iteration(1): ..., encoder inputs: 7, encoder output embeddings: 840\n")
    counter = EncoderLog([log])
    with log.open("a") as file:
        file.write("INFO Iteration(2): 1 context requests, encoder inputs: 2, more\n")
        file.write("INFO Iteration(3): 0 context requests\n")
        file.write("INFO Iteration(4): encoder inputs: 1, encoder output embeddings: 120\n")
    assert counter.runs() == 3
    assert EncoderLog([tmp_path / "none.log"]).runs() is None
    assert EncoderLog([]).runs() is None
