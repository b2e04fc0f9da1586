"""Judging open answers: 0 to 5 at three levels against a reference, by an LLM or by a rule.

run folder -> items -> requests -> replies -> verdicts.jsonl
"""
