"""The embedded judge: the rubric as a fixed rule over the words of two texts. No model, no network.

It is a proxy for an LLM judge. It knows a fixed vocabulary of parts, directions, movements and
times, and ignores every other word. Its scores are always marked as a proxy's and never appear in
Table 4.

    patterns.py    words -> what they say
    features.py    a text -> what it says at each level
    rule.py        reference and answer -> scores of 0 to 5, by the anchors of the rubric
    run.py         judges all answers of a run
"""

from fmau.judge.embedded.rule import embedded_opinions

__all__ = ["embedded_opinions"]
