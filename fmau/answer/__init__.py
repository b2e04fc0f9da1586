"""Putting questions to a vLLM server and reading its replies."""

from fmau.answer.engine import answer_questions
from fmau.answer.pending import unanswered
from fmau.answer.summary import Summary

__all__ = ["Summary", "answer_questions", "unanswered"]
