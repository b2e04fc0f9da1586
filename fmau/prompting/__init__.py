"""What a model is shown in words, and how its reply is read.

prompts.py        prompt sets: the words around a question
conversation.py   question + prompt set + clip -> messages
extraction.py     reply -> option letter, Yes or No, free text, or the reason why there is none
"""
