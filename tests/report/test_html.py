"""The report as text, and in a real browser where there is one."""

import html
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.report.html import render
from fmau.report.thumbnails import Strip, make_strip
from tests.report.runs import scored
from tests.score.synthetic import gold_answers, ok, question_file, random_answers, verdicts

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
NO_SKIPS = os.environ.get("FMAU_NO_SKIPS") == "1"
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)> \u2028 é"
QUESTIONS = question_file(clips=10)


@pytest.mark.skipif(not NO_SKIPS, reason="only where no test may be skipped")
def test_a_browser_is_there() -> None:
    assert CHROMIUM is not None


def hostile_answers() -> dict[str, Answer]:
    answers = gold_answers(QUESTIONS)
    for question in QUESTIONS.questions:
        if question.task.is_open:
            answers[question.qid] = ok(question, HOSTILE)
    return answers


def visible(page: str) -> str:
    """The page without scripts and styles."""
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_has_the_numbers_and_the_warning() -> None:
    text = html.unescape(visible(render([scored("base", QUESTIONS, gold_answers(QUESTIONS))])))
    assert "46.97" in text
    assert "do not compare the rows" in text
    assert "120 questions about 10 clips (not MA-Bench), 120 with gold answers." in text


def test_no_text_of_a_model_or_file_becomes_markup() -> None:
    run = scored("base", QUESTIONS, hostile_answers())
    page = render([replace(run, name=HOSTILE)])
    assert "<script>document.title" not in page
    assert "<img" not in page
    assert "&lt;/script&gt;" in visible(page)
    blob = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    replies = {row[1] for row in json.loads(blob[1])["runs"][0]["rows"]}
    assert HOSTILE in replies


def test_nothing_is_loaded_from_anywhere() -> None:
    page = visible(render([scored("base", QUESTIONS, {})]))
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#)""", page)


def test_without_gold_it_still_renders() -> None:
    page = render([scored("base", QuestionFile(QUESTIONS.questions), gold_answers(QUESTIONS))])
    assert "no gold answers" in visible(page)
    assert "nothing to score here" in visible(page)
    assert "Body parts (CMAR)" not in visible(page)
    assert "data-chart=" not in visible(page)


Browse = Callable[..., tuple[str, str]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Opens a page, runs a script in it, and gives the resulting document and console lines.

    Time in the page is virtual, so that nothing waits; without a budget it is real.
    """

    def run(page: str, script: str, budget_ms: int | None = 8000) -> tuple[str, str]:
        file = tmp_path / "report.html"
        probe = f"<script>window.addEventListener('load', () => {{{script}}})</script>"
        file.write_text(page.replace("</body>", f"{probe}</body>"), "utf-8")
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
        flags += " --disable-background-networking --disable-component-update --disable-sync"
        done = subprocess.run(
            [
                str(CHROMIUM),
                *flags.split(),
                "--enable-logging=stderr",
                "--window-size=1280,2000",
                *([] if budget_ms is None else [f"--virtual-time-budget={budget_ms}"]),
                f"--user-data-dir={tmp_path / 'profile'}",
                "--dump-dom",
                file.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout, "\n".join(console)

    return run


@needs_browser
@pytest.mark.slow
def test_charts_and_table_are_drawn_without_complaint(browse: Browse) -> None:
    runs = [
        scored("base", QUESTIONS, random_answers(QUESTIONS)),
        scored("hostile", QUESTIONS, hostile_answers()),
    ]
    # Charts are drawn as they come into sight, or all at once to be printed.
    script = """
        const drawn = () => document.querySelectorAll(".js-plotly-plot").length;
        setTimeout(() => {
          const first = drawn();
          window.dispatchEvent(new Event("beforeprint"));
          document.body.dataset.seen = JSON.stringify([first, drawn()]);
        }, 1000);
    """
    document, console = browse(render(runs), script)
    assert console == ""
    assert "<title>base, hostile · fmau report</title>" in document
    body = visible(document)
    first, all_of_them = json.loads(re.search(r'data-seen="(.*?)"', document)[1])
    # Accuracy, actions, and per run confusion, recall, parts, confusion of actions.
    assert 0 < first < all_of_them == 10
    assert "1–25 of 120" in body


@needs_browser
@pytest.mark.slow
def test_filters_pages_and_hostile_replies(browse: Browse) -> None:
    script = """
        const id = (name) => document.getElementById(name);
        const seen = [];
        const note = () => seen.push(id("count").textContent);
        const choose = (name, value) => {
          id(name).value = value;
          id(name).dispatchEvent(new Event("change"));
          note();
        };
        note();
        id("next").click(); note();
        choose("filter-task", "MADU");
        choose("filter-verdict", "right");
        choose("filter-verdict", "");
        choose("filter-task", "");
        id("filter-text").value = "clip-0003 ONERROR";
        id("filter-text").dispatchEvent(new Event("input"));
        setTimeout(() => {
          note();
          seen.push(id("answers").querySelectorAll("img, script").length);
          document.body.dataset.seen = JSON.stringify(seen);
        }, 1000);
    """
    document, console = browse(render([scored("base", QUESTIONS, hostile_answers())]), script)
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    assert seen == [
        "1–25 of 120",
        "26–50 of 120",
        "1–10 of 10",
        "no answer fits these filters",  # open answers are neither right nor wrong
        "1–10 of 10",
        "1–25 of 120",
        "1–2 of 2",  # MADU and MARE of one clip
        0,
    ]
    assert console == ""
    assert Task.MADU in visible(document)


@needs_browser
@pytest.mark.slow
def test_what_judges_said_can_be_read_filtered_and_reached_by_keys(browse: Browse) -> None:
    rows = verdicts(QUESTIONS, "llm", lambda q, level: None if q.clip == "clip-0001" else level)
    rows = [row.model_copy(update={"rationale": HOSTILE}) for row in rows]
    runs = [
        scored("base", QUESTIONS, hostile_answers(), rows, {"llm": True}),
        scored("other", QUESTIONS, gold_answers(QUESTIONS)),
    ]
    script = """
        const id = (name) => document.getElementById(name);
        const seen = [];
        const choose = (name, value) => {
          id(name).value = value;
          id(name).dispatchEvent(new Event("change"));
          seen.push(id("count").textContent);
        };
        const press = (key) =>
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        choose("filter-score", "unscored");
        choose("filter-score", "3");
        choose("filter-score", "");
        choose("filter-task", "MADU");
        choose("filter-beside", "1");
        seen.push([...id("heading").children].map((one) => one.textContent).join(" "));
        seen.push(id("answers").querySelectorAll("td.pane").length);
        press("j"); press("j"); press("k"); press("j");
        const current = id("answers").querySelectorAll(".current");
        seen.push(current.length, [...id("answers").children].indexOf(current[0]));
        press("Enter");
        const opinion = current[0].querySelector(".opinion");
        seen.push(opinion.open, opinion.querySelector("summary").textContent.split(":")[0]);
        seen.push(id("answers").querySelectorAll("img, script").length);
        press("/");
        seen.push(document.activeElement.id);
        choose("filter-task", "");
        document.activeElement.blur();
        press("n");
        seen.push(id("count").textContent);
        document.body.dataset.seen = JSON.stringify(seen);
    """
    page = render(runs)
    assert "llm: embedded proxy, not an LLM judge" in visible(page)
    document, console = browse(page, script)
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    assert seen == [
        "1–2 of 2",
        "1–18 of 18",
        "1–25 of 120",
        "1–10 of 10",
        "1–10 of 10",
        "Task Question Gold base other",
        20,
        1,
        1,
        True,
        "llm (proxy)",
        0,
        "filter-text",
        "1–25 of 120",
        "26–50 of 120",
    ]
    assert console == ""


@needs_browser
@pytest.mark.slow
def test_two_runs_side_by_side_can_be_filtered_by_what_became_of_each(browse: Browse) -> None:
    right, random = gold_answers(QUESTIONS), random_answers(QUESTIONS)
    script = """
        const id = (name) => document.getElementById(name);
        const seen = [];
        const choose = (name, value) => {
          id(name).value = value;
          id(name).dispatchEvent(new Event("change"));
        };
        seen.push(id("filter-theirs").parentElement.hidden);
        choose("filter-beside", "1");
        choose("filter-verdict", "right");
        choose("filter-theirs", "wrong");
        seen.push(id("filter-theirs").parentElement.hidden, id("count").textContent);
        const panes = [...id("answers").firstChild.querySelectorAll("td.pane")];
        seen.push(...panes.map((pane) => pane.querySelector(".result").textContent));
        choose("filter-beside", "");
        seen.push(id("filter-theirs").parentElement.hidden, id("count").textContent);
        document.body.dataset.seen = JSON.stringify(seen);
    """
    runs = [scored("first", QUESTIONS, right), scored("second", QUESTIONS, random)]
    document, console = browse(render(runs), script)
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    closed = [q for q in QUESTIONS.questions if not q.task.is_open]
    said = {q.qid: random[q.qid].answer for q in closed if q.qid in random}
    wrong = sum(text not in (None, QUESTIONS.gold[qid]) for qid, text in said.items())
    assert seen == [
        True,
        False,
        f"1–{wrong} of {wrong}",
        "right",
        "wrong",
        True,
        f"1–25 of {len(closed)}",
    ]
    assert console == ""


def test_table_4_shows_intervals_and_charts_say_what_judges_covered_and_parts_got() -> None:
    rows = [
        *verdicts(QUESTIONS, "llm", lambda q, level: None if q.clip == "clip-0001" else level),
        *verdicts(QUESTIONS, "rule", lambda q, level: level),
    ]
    judges = {"llm": False, "rule": True}
    answers = random_answers(QUESTIONS)
    run = scored("base", QUESTIONS, answers, rows, judges)
    page = render([run])
    interval = run.scores.tasks[Task.SAD].accuracy.clustered
    assert f"<small>{interval.low:.0f}–{interval.high:.0f}</small>" in page
    level = run.scores.judgements[0].tasks[Task.MADU][1].clustered
    assert f"<small>{level.low:.1f}–{level.high:.1f}</small>" in page
    assert "How the judges of base agree" in visible(page)
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)[1])
    bars = {bar["name"]: bar["customdata"] for bar in charts["coverage"]["data"]}
    assert charts["coverage"]["data"][0]["y"] == ["base by llm", "base by rule (proxy)"]
    missing = sum(
        row is None or row.answer is None
        for row in (answers.get(q.qid) for q in QUESTIONS.questions if q.task.is_open)
    )
    assert [count for count, _ in bars["no answer"]] == [3 * missing, 3 * missing]
    assert sum(count for count, _ in bars["unscored"]) == 3 * sum(
        q.clip == "clip-0001" and q.qid in answers and answers[q.qid].answer is not None
        for q in QUESTIONS.questions
        if q.task.is_open
    )
    assert {total for counts in bars.values() for _, total in counts} == {3 * 20}
    parts = charts["parts-0"]["data"][0]
    assert parts["x"] == [str(task) for task in CLOSED_TASKS]
    assert sum(cell[1] for row in parts["customdata"] for cell in row if cell) == 100


def picture(clip: str) -> Strip | None:
    """Eight frames of one colour per clip; one clip cannot be read."""
    if clip == "clip-0004":
        return None
    packed = io.BytesIO()
    Image.new("RGB", (160, 192), (int(clip[-2:]) * 20, 90, 90)).save(packed, "JPEG")
    return make_strip([packed.getvalue()] * 8, [place * 0.25 for place in range(8)])


@needs_browser
@pytest.mark.slow
def test_the_frames_of_a_clip_stand_by_its_questions(browse: Browse) -> None:
    script = """
        const images = [...document.querySelectorAll("#answers img")];
        const first = images[0];
        document.body.dataset.seen = JSON.stringify([
          images.length, first.naturalWidth, first.naturalHeight,
          first.parentElement.querySelector(".times").textContent,
        ]);
    """
    page = render([scored("base", QUESTIONS, gold_answers(QUESTIONS))], picture)
    assert "1 clips stand here without their frames" in visible(page)
    document, console = browse(page, f"setTimeout(() => {{{script}}}, 500)")
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    shown = [question.clip != "clip-0004" for question in QUESTIONS.questions[:25]]
    assert seen == [sum(shown), 8 * 80, 96, "".join(f"{place * 0.25} s" for place in range(8))]
    assert console == ""


@needs_browser
@pytest.mark.slow
def test_12000_answers_are_there_in_under_two_seconds(browse: Browse) -> None:
    questions = question_file(clips=1000)
    rows = verdicts(questions, "llm", lambda _, level: level)
    run = scored("all", questions, random_answers(questions), rows, {"llm": False})
    script = """
        const loaded = performance.now();
        const id = (name) => document.getElementById(name);
        const before = performance.now();
        id("filter-task").value = "MARE";
        id("filter-task").dispatchEvent(new Event("change"));
        document.body.dataset.seen = JSON.stringify({
          loaded, filtered: performance.now() - before, count: id("count").textContent,
          nodes: id("answers").querySelectorAll("*").length,
        });
    """
    document, console = browse(render([run]), script, budget_ms=None)
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    print(seen)
    assert seen["count"] == "1–25 of 1,000"
    assert seen["loaded"] < 2000
    assert seen["filtered"] < 200
    assert seen["nodes"] < 1000  # a page of rows, however many there are
    assert console == ""


def test_links_lead_to_sections_and_runs_are_compared() -> None:
    runs = [
        scored("base", QUESTIONS, gold_answers(QUESTIONS)),
        scored("other", QUESTIONS, random_answers(QUESTIONS)),
    ]
    page = visible(render(runs))
    links = re.findall(r'<a href="#(\w+)">', page)
    assert links == ["table4", "comparison", "accuracy", "parts", "actions", "browser"]
    for anchor in links:
        assert page.count(f'<section id="{anchor}">') == 1
    assert "other is worse than base: Closed-AVG -" in page
    assert "only the" in page
    assert "comparison" not in re.findall(r'<a href="#(\w+)">', visible(render(runs[:1])))


@needs_browser
@pytest.mark.slow
def test_filters_survive_a_reload_and_a_question_has_a_link(browse: Browse) -> None:
    """What the address says is restored, and what is chosen stands in the address."""
    runs = [
        scored("base", QUESTIONS, gold_answers(QUESTIONS)),
        scored("other", QUESTIONS, random_answers(QUESTIONS)),
    ]
    script = """
        const id = (name) => document.getElementById(name);
        const seen = [];
        const note = () => seen.push([location.hash, id("count").textContent]);
        const visit = (hash) => {
          location.hash = hash;
          window.dispatchEvent(new Event("hashchange"));
          note();
        };
        id("filter-task").value = "SAD";
        id("filter-task").dispatchEvent(new Event("change")); note();
        visit("#task=MAD&run=1&page=1");
        seen.push([id("filter-task").value, id("filter-run").value]);
        visit(document.querySelector("#answers .source a").getAttribute("href"));
        id("show-all").click(); note();
        visit("#page=3");
        visit("#table4");
        document.body.dataset.seen = JSON.stringify(seen);
    """
    document, console = browse(render(runs), script)
    assert console == ""
    seen = json.loads(html.unescape(re.search(r'data-seen="(.*?)"', document)[1]))
    first = next(q for q in QUESTIONS.questions if q.task is Task.MAD)
    assert seen == [
        ["#task=SAD", "1–20 of 20"],
        ["#task=MAD&run=1", "1–20 of 20"],
        ["MAD", "1"],
        [f"#run=1&qid={first.qid}", "1–1 of 1"],
        ["#run=1", "1–25 of 120"],
        ["#page=3", "51–75 of 120"],
        ["#table4", "51–75 of 120"],
    ]
