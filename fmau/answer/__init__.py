"""Send questions to a vLLM server or an API, and read the replies.

session.py        from a recipe to its answers: what `fmau answer` does
engine.py         sends questions clip by clip, writes each row at once
order.py          groups questions by clip
pending.py        the questions that have no answer yet
request.py        one question and one clip as a request, its reply as a row
vllm.py           the way to a vLLM server
api.py            the way to a model behind an API
server.py         checks and metrics of the server itself
cache_report.py   counts that show that no work is done twice
progress.py       the progress bar
summary.py        what one session did
estimate.py       requests, tokens and price of an API, before anything is sent
single.py         one question in free words
ray.py            the same on a Ray cluster
"""

from fmau.answer.engine import answer_questions
from fmau.answer.pending import unanswered
from fmau.answer.session import answer_recipe
from fmau.answer.summary import Summary

__all__ = ["Summary", "answer_questions", "answer_recipe", "unanswered"]
