"""A starter kit's folder in words of our own: prompts, a question file, outputs in both formats."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.question_rows import question_rows

MODEL = "Maker/Watcher-9B"
PROMPTS_PY = '''"""What to say before each question."""

CMAR = """

Find the part that moves.
Answer with one letter.
"""

YES_NO = "Answer Yes " "or No."

SYSTEM_PROMPTS = {
    "CMAR": CMAR,
    "FMAR": "Name the action by its letter.",
    "SAD": YES_NO,
    "MAD": "Two parts. " + YES_NO,
    "AS": "Which comes first? " + YES_NO,
    "PPR": YES_NO,
    "VCC-LS": """Describe it.""",
    "LRC-LS": """Explain it.""",
}
'''
SENT = {
    "CMAR": "Find the part that moves.\nAnswer with one letter.",
    "FMAR": "Name the action by its letter.",
    "SAD": "Answer Yes or No.",
    "MAD": "Two parts. Answer Yes or No.",
    "MAS": "",
    "PPR": "Answer Yes or No.",
    "MADU": "",
    "MARE": "",
}
"""What the kit sends: its dict has other names for three tasks than its question file."""
MEANT = SENT | {
    "MAS": "Which comes first? Answer Yes or No.",
    "MADU": "Describe it.",
    "MARE": "Explain it.",
}
EXPORTED = SENT | {"AS": MEANT["MAS"], "VCC-LS": "Describe it.", "LRC-LS": "Explain it."}
EXPORTED = {name: text for name, text in EXPORTED.items() if text}
"""What the kit writes beside its answers: its dict."""

CLIPS = ("bow", "nod", "wave")


def rows() -> list[dict[str, Any]]:
    """The questions about three clips, with answers that an own count can be made of."""
    found = [row for turn, clip in enumerate(CLIPS) for row in question_rows(clip, turn)]
    for place, row in enumerate(found):
        row["answer"] = {
            "CMAR": "ABCDEFG"[place % 7],
            "FMAR": "ABCDE"[place % 5],
            "MADU": "The head goes down and up again.",
            "MARE": "The head bows, so it is bowing.",
        }.get(row["task"], ("Yes", "No")[place % 2])
    return found


def replies(rows: list[dict[str, Any]]) -> dict[str, str]:
    """qid -> what a model said: right, wrong, worded freely, unreadable, thinking, or nothing."""
    said = {}
    for place, row in enumerate(rows):
        if row["task"] in ("MADU", "MARE"):
            said[row["qid"]] = f"The head moves, number {place}."
            continue
        wrong = {"A": "B", "Yes": "No", "No": "Yes"}.get(row["answer"], "A")
        forms = [row["answer"], wrong, f"The answer is {row['answer']}.", "I see nothing.", ""]
        forms.append(f"Let me look. It may be {wrong}.</think>\n\n{row['answer']}")
        said[row["qid"]] = forms[place % len(forms)]
    return said


def independent_accuracies(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Task -> accuracy in percent, counted by the form of each reply alone."""
    right: dict[str, list[bool]] = {}
    for place, row in enumerate(rows):
        if row["task"] not in ("MADU", "MARE"):
            right.setdefault(row["task"], []).append(place % 6 in (0, 2, 5))
    return {task: 100 * sum(each) / len(each) for task, each in right.items()}


def prediction(said: Mapping[str, str], *, as_list: bool) -> str:
    """The text of an output in one of the kit's two formats, laid out as the kit lays it out."""
    answers: list[dict[str, Any]] = [{"qid": q, "pred_answer": text} for q, text in said.items()]
    if as_list:
        tree: Any = [entry | {"raw_output": "x", "gt_answer": "A"} for entry in answers]
    else:
        prompts = [{"task": name, "system_prompt": text} for name, text in EXPORTED.items()]
        tree = {"prompts": prompts, "answers": answers}
    return json.dumps(tree, ensure_ascii=False, indent=2)


def write_kit(folder: Path, *, as_list: bool = False) -> Path:
    """Write the whole folder; the output has the name that the kit gives it."""
    output = folder / "outputs" / f"{MODEL}_results.json"
    output.parent.mkdir(parents=True)
    (folder / "datasets").mkdir()
    (folder / "prompts.py").write_text(PROMPTS_PY, "utf-8")
    asked = rows()
    (folder / "datasets" / "questions.json").write_text(json.dumps(asked), "utf-8")
    more = [*asked, *question_rows("other")]
    (folder / "datasets" / "all.json").write_text(json.dumps(more), "utf-8")
    output.write_text(prediction(replies(asked), as_list=as_list), "utf-8")
    return folder
