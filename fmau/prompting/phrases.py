"""The wordings in which replies claim, deny and take back an answer. `claims.py` uses them.

Every pattern of a claim has one group: the letter, the word or the label that is claimed.
"""

import re

CLOSING = r"(?=\s*(?:[.,:;!)\]}>]|\s-\s|\n|$)|\s+(?:because|since)\b|です)"
OPEN, CLOSE = r"[(\[{<']*", r"[)\]}>']*"
UPPER = rf"{OPEN}([A-Z]){CLOSE}"
EITHER = rf"{OPEN}([A-Za-z]){CLOSE}"
NOT_THE_ANSWER = "".join(
    rf"(?<!\b{word} )"
    for word in (
        "wrong", "incorrect", "other", "another", "first", "second", "alternative", "previous",
        "initial", "false", "worst", "possible", "not the", "not an", "no", "not", "if the", "an",
    )
)  # fmt: skip
IS = (
    r"(?:\s+(?:is|would\s+be|should\s+be|must\s+be)\b(?:\s+(?:most\s+likely|likely|probably|clearly|"
    r"therefore|thus|simply))?\s*[:=-]?|\s*[:=]|\s+-\s)\s*"
)
ANSWER_IS = (
    r"(?i:(?:" + NOT_THE_ANSWER + r"\b(?:answer|solution|my\s+(?:choice|pick|selection)"
    r"|(?:correct|right|best|final|most\s+\w+)\s+"
    r"(?:option|choice|letter|label|category|match|fit|description)"
    r"|most\s+(?:suitable|likely|accurate|appropriate|plausible|probable|fitting)"
    r"|(?:option|choice|label|category)\s+(?:that|which)\s+best\s+[^.\n]{1,60}?(?=\s+is\b))"
    r"(?:\s+to\s+(?:the|this|your)\s+question)?" + IS + "|"
    r"\b(?:option|choice|letter|ans|prediction|result|output|response|category|label|class)"
    r"\s*[:=]\s*|\bans\.\s+|"
    r"\b(?:antwort|respuesta|réponse|risposta|resposta|ответ)(?:\s+corre\w+)?(?:\s+(?:ist|es|est|è|é)\s|\s*:)\s*|"
    r"(?:答案|回答|选项|答え|정답)\s*(?:应该)?(?:是|为|は|은)?\s*:?\s*|(?:应该|我)?选择?\s*:?\s*"
    r")(?:(?:the\s+)?(?:option|choice|letter)\s+)?)"
)
SENTENCE = r"(?:^|(?<=[.!?:\n])\s*)(?i:(?:so|thus|therefore|hence)\b,?\s*)?"
BULLET = r"^[ \t]*(?:[#>+•·-]+[ \t]+)?"

LINE_LETTER = re.compile(BULLET + UPPER + CLOSING)
SAID_LETTER = (
    re.compile(ANSWER_IS + EITHER + CLOSING),
    re.compile(SENTENCE + r"(?i:(?:the\s+)?(?:option|choice|answer|letter)\s+)" + EITHER + CLOSING),
    re.compile(
        SENTENCE + r"(?i:(?:the\s+)?(?:option|choice|answer)\s+)?" + UPPER + r"\s+is\s+(?:the\s+)?"
        r"(?:correct|right|best)(?:\s+(?:answer|option|choice|one|match|description))?" + CLOSING
    ),
    re.compile(
        r"(?:^|(?<=[.,!?:\n])\s*)(?i:(?:so\b,?\s*)?(?:I|we)(?:['’](?:d|ll)|\s+would|\s+will)?\s+(?:choose|pick|select|say|"
        r"answer|go\s+with|opt\s+for)\s+(?:(?:the\s+)?(?:option|choice|answer|letter)\s*:?\s*)?)"
        + UPPER
        + CLOSING
    ),
    re.compile(
        r"(?:^|(?<=[.!?\n])\s*)(?i:so|thus|therefore|hence|(?:most\s+)?likely|probably|definitely"
        r"|clearly)\b,?\s+" + UPPER + CLOSING
    ),
    re.compile(
        SENTENCE
        + r"(?i:it(?:['’]s|\s+is|\s+(?:appears\s+to|should|must)\s+be)\s+(?:option\s+)?)"
        + UPPER
        + CLOSING
    ),
)
LONE_LETTER = re.compile(r"[^\w?]*([A-Za-z])[^\w?]*")
LABELLED_LETTER = re.compile(BULLET + EITHER + r"\s*[.:)=/-]?\s+(.+)$")
# "a." may end a list, "i." is a number.
FIRST_SMALL_LETTER = re.compile(r"[(\[]?([b-hj-z])[.)\]:]+\s+\S")
ENDING_LINE = re.compile(
    r"(?:\b(?:is|as|be)|:)[ \t]+" + EITHER + r"[ \t]*[.:)-][ \t]*([^\n]+)$", re.MULTILINE
)
# What a sentence says before "the answer is B", if it does not give B as its answer. Only the
# clause itself counts: "the head does not move, so the answer is B".
CLAUSE_END = re.compile(
    r"[,:]|\b(?:but|so|therefore|hence|thus|yet|however|and|because|since|while|although|though)\b",
    re.I,
)
DOUBT = re.compile(
    r"\b(?:not|never|hardly|cannot|wrong|incorrect|false|other|except|unlike|instead|least|worst"
    r"|nobody|no\s+(?:one|way|evidence|reason|indication|sign)|thought|assumed|guessed|if|whether"
    r"|unless|suppose|assuming|impossible|unlikely|could|might|may|maybe|perhaps|possibly)\b"
    r"|(?<!\bI )\bwould\b|(?<!\bno )(?<!\bwithout )(?<!\bwithout a )\bdoubt|n['’]t\b",
    re.I,
)
EXAMPLE = re.compile(
    r"\b(?:for\s+(?:example|instance)|e\.?g\b|such\s+as|in\s+the\s+form"
    r"|(?:format|template|example)(?:\s+(?:answer|output|reply|response))?\s*(?:is|:|of|$))",
    re.I,
)
# Around a mark, which leaves a line end behind: "The format is <answer>A</answer>", "... is wrong".
MARK_IS_NONE = re.compile(
    r"\b(?:format|template|example|e\.g\.|form|instance)\W*(?:is|would\s+be)?\W*$"
    r"|^\W*(?:is|was|seems|looks|would\s+be)\s+(?:wrong|incorrect|false|not\b|n't)",
    re.I | re.MULTILINE,
)
SAID_LABEL = re.compile(ANSWER_IS + r"(?:the\s+)?([^\n]+)")
# "A hand" does not mention option A, nor "I see" option I: an article, a pronoun.
LETTER_MENTION = re.compile(r"(?<![\w'’])(?!A [a-z]|I [a-z]|I['’])([A-Z])(?![\w'’])")

# "B, not A", "not A but B", "A is wrong, so B": the letters in `out` are ruled out.
RULED_OUT = (
    re.compile(
        r"(?:,?\s*\b(?i:and)\s+|,\s*)?\b(?i:not)\s+(?:(?i:option|answer)\s+)?(?P<out>[(\[]?[A-Z][)\]]?)"
        r"(?:\s*,?\s*\bbut\b(?!\s+(?:also|not)\b)"
        r"|(?=\s*(?:[.;)!]|,(?!\s*(?:(?:or|and|nor)\s+)?[(\[]?[A-Z]\b)|\n|$)))"
    ),
    re.compile(
        SENTENCE + r"(?:(?i:options?)\s+)?(?P<out>[A-Z](?:(?:,|,?\s+and)\s+[A-Z])*)\s+"
        r"(?:is|are)\s+(?:wrong|incorrect|false|ruled\s+out|not\s+(?:correct|right))"
        r",?\s+(?=(?:so|therefore|hence|thus)\b)"
    ),
)

NEXT_LETTER = re.compile(
    r"[)\]}>']*\s*(?:,|/|&|,?\s*(?:or|and)\b)\s*(?:option\s+)?[(\[']*([A-Za-z])[)\]']*(?![\w’])"
)
# The letter or word is what a sentence is about: "A. is wrong", "A: cannot be ruled out".
ABOUT_IT = re.compile(
    r"[)\]}>'.,:;\s-]*(?:(?:which|this|that|it)\s+)?"
    r"(?:(?:is|was|are|does|do|can|could|may|might|would|should|seems?|looks?|appears?|has)\b"
    r"(?!\s+(?:the\s+)?(?:correct|right|best)\b)|(?:isn|wasn|doesn|can|couldn|wouldn)['’]?t\b|cannot\b)"
)
DENIED = re.compile(
    r"[)\]}>'.,:;\s-]*(?:(?:which|it|(?:this|that|the)(?:\s+(?:option|answer|choice|one|label))?)\s+"
    r"(?:is|was|seems|looks)\s+)?"
    r"(?:wrong|incorrect|false|excluded|eliminated|unlikely|impossible|ruled\s+out"
    r"|not\s+(?:the\s+)?(?:correct|right|answer|it|this|that)|no(?=\W*(?:\n|$)))\b",
    re.I,
)
TAKEN_BACK = re.compile(
    r"\bno,?\s+wait\b|\bwait,|\bi\s+mean(?:t)?\b|\bscratch\s+that\b|\bon\s+second\s+thoughts?\b"
    r"|\bactually,?\s+(?:it\b|the\s+answer|[a-z]\b|option|yes\b|no\b)|\bcorrection:|\bmake\s+that\b|\bchange\s+my\s+answer\b",
    re.I,
)

NO_FOLLOWED = (
    r"(?=\s*(?:[.,:;!()\]}>]|\s-\s|\n|$)"
    r"|\s+(?:the|it|he|she|they|there|this|that|these|those|i|we|you|his|her|their|because|since)\b)"
)
YES_NO_START = re.compile(rf"(?i)\W*(yes(?![?\w])|no(?!\.?\s*\d){NO_FOLLOWED})")
AFTER_STOP = re.compile(r"(?i)(?<=[.,:;!?\n])\s*[(\[{<]*(yes|no)[)\]}>]*" + CLOSING)
YES_NO_SAID = (
    re.compile(
        r"(?i)(?:\bso|(?:\bI|['’]d|\bwould)\s+(?:say|answer|think)|definitely|certainly|clearly|probably"
        r"|likely),?\s+(yes|no)" + CLOSING
    ),
    re.compile(ANSWER_IS + rf"{OPEN}(?i:(yes\b(?!\?)|no{NO_FOLLOWED}))"),
)
LONE_YES_NO = re.compile(r"(?i)[^\w?]*(yes|no|y|n)[^\w?]*")
YES_OR_NO = re.compile(r"(?i)\b(?:yes\s*(?:or|/|-or-)\s*no|no\s*(?:or|/)\s*yes)\b")
MENTION = {"Yes": re.compile(r"(?i)\byes\b"), "No": re.compile(r"(?i)\bno\b" + CLOSING)}

ABOUT_THE_WORD = re.compile(
    r"['’)\]\s]*\b(?:is|was|isn['’]?t|cannot|can['’]?t|would)\b"
    r"(?!\s+(?:the\s+)?(?:correct|right|answer)\b)",
    re.I,
)
