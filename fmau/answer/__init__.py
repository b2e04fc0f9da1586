"""Putting questions to a vLLM server and reading its replies.

session.py        from a recipe to its answers: what `fmau answer` does
engine.py         clip by clip, bounded, each row written as it comes
order.py          questions by clip
pending.py        what is left to ask
request.py        one question and one clip as a request, its reply as a row
server.py         what is asked of the server itself
cache_report.py   the proof that no work is done twice
summary.py        what one session did
single.py         one question in free words
ray.py            the same on a Ray cluster
"""

from fmau.answer.engine import answer_questions
from fmau.answer.pending import unanswered
from fmau.answer.session import answer_recipe
from fmau.answer.summary import Summary

__all__ = ["Summary", "answer_questions", "answer_recipe", "unanswered"]
