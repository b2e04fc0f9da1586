"""What is wrong with a question file, and what of it could be answered without looking at a clip.

shortcuts.py   marked options, frequent answers, and how well a text-only classifier answers
pairs.py       questions that give one another away
fields.py      fields, ids and labels that do not fit together
check.py       the record of one check
audit.py       all checks of a file, as a record and a table
"""

from fmau.score.audit.audit import Audit, audit_questions, print_audit
from fmau.score.audit.check import Check

__all__ = ["Audit", "Check", "audit_questions", "print_audit"]
