"""Judge open answers: an LLM or a rule compares each with its reference and gives 0 to 5 points at
three levels.

run folder -> items -> requests -> replies -> verdicts.jsonl
"""
