"""The embedded judge: the rubric as a deterministic rule over parsed text. No model, no network.

It is a proxy for an LLM judge: it knows a fixed vocabulary of parts, directions, movements and
times, and takes other words for nothing said. Its scores never stand in Table 4's place.

    lexicon.py     words -> what they say
    features.py    a text -> what it says at each level
    rule.py        reference and answer -> 0 to 5, by the anchors of the rubric
"""

from fmau.judge.embedded.rule import embedded_opinions

__all__ = ["embedded_opinions"]
