"""What is wrong with a question file, and what of it could be answered without looking at a clip.

options.py      class codes and duplicates on option lines
pairs.py        questions that give one another away
priors.py       answers that are more frequent than others
blind.py        how well a text-only classifier answers
fields.py       fields, ids and labels that do not fit together
audit.py        all checks of a file, as a record and a table
"""

from fmau.score.audit.audit import Audit, Check, audit_questions, print_audit

__all__ = ["Audit", "Check", "audit_questions", "print_audit"]
