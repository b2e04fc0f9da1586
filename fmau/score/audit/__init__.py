"""Audit of a question file: its defects, and questions that can be answered without the clip.

shortcuts.py   marked options, frequent answers, and how well a text-only classifier answers
pairs.py       questions that give each other's answers away
fields.py      fields, ids and labels that contradict each other
check.py       the record of one check
audit.py       all checks of a file, as a record and as a table
"""

from fmau.score.audit.audit import Audit, audit_questions, print_audit
from fmau.score.audit.check import Check

__all__ = ["Audit", "Check", "audit_questions", "print_audit"]
