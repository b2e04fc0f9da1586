"""Build a model's prompt from a question, and extract the answer from its reply.

prompts.py        prompt sets: the texts around a question
conversation.py   question + prompt set + clip -> messages
times.py          the times of frames as text between images
extraction.py     reply -> option letter, Yes or No, free text, or the reason why there is none
claims.py         what a free-text reply claims as its answer
phrases.py        the wordings of claims
reply.py          a reply in plain letters, and what it marks as its answer
"""
