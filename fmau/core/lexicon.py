"""The words for body parts, sides, directions, phases and opposites, each written down once.

Four readers build their patterns from this module:

    the claim reader   fmau.dataset.claims, fmau.dataset.examples: captions -> claims -> questions
    the judge          fmau.judge.embedded: two texts -> a proxy score
    calibration        fmau.judge.calibrate.perturb: a reference -> the same with words exchanged
    the audit          fmau.score.audit.pairs: two questions -> whether they say opposite things

The readers know different words, on purpose. A claim becomes an answer that a model is trained on,
so the claim reader takes only words that name one tracked part, one direction or one phase for
sure. The judge compares two texts and reads both in the same way, so it may take a hint for the
fact ("the wrist" for the hand, "then" for the middle phase). Every such difference stands here:

    body parts     `BodyWord.claim` and `BodyWord.judge`; the judge after a side: `JUDGED_SIDED`
    directions     `DIRECTION_VERBS`. "left" alone is a direction for the claim reader; for the
                   judge it is a side, and "to the left" a direction. Outward, inward and near are
                   known to the judge alone (`fmau.judge.embedded.patterns`)
    phases         `PHASE_WORDS`
    opposites      `TIME_OPPOSITES` for calibration and the audit, `PROSE_TIME_OPPOSITES` for
                   calibration alone, `RELATION_OPPOSITES` for the audit alone

A word added for the judge can change its scores: raise `fmau.judge.judges.EMBEDDED_VERSION` then.

The generator of the mini benchmark (`fmau.demo.mini`) reads nothing from here. It has words of its
own, so that its captions and questions test these readers independently.
"""

from dataclasses import dataclass
from typing import Final, Literal

SIDES: Final = ("left", "right")
"""Always the subject's own left and right, as in the benchmark."""

LIMBS: Final = ("upper arm", "lower arm", "hand", "upper leg", "lower leg", "foot")
"""Tracked parts that exist on both sides."""

PARTS: Final = ("head", "torso", *(f"{side} {limb}" for limb in LIMBS for side in SIDES))
"""The 14 tracked body parts, as the benchmark's questions name them."""

PHASES: Final = ("early", "middle", "late")
"""The thirds of a clip, in order."""

AXES: Final = {
    "horizontal": ("leftward", "rightward"),
    "vertical": ("upward", "downward"),
    "depth": ("forward", "backward"),
}
"""Axis -> its two directions."""

AXIS: Final = {way: axis for axis, ways in AXES.items() for way in ways}
"""Direction -> its axis."""

OPPOSITE: Final = {one: other for pair in AXES.values() for one, other in (pair, pair[::-1])}
"""Direction -> the opposite direction on the same axis."""

SHORT: Final = {"leftward": "left", "rightward": "right", "upward": "up", "downward": "down"}
"""Direction -> its short form. Forward and backward have none."""


def spellings(way: str) -> tuple[str, str]:
    """The two spellings of a direction.

    >>> spellings("leftward")
    ('leftward', 'leftwards')
    """
    return way, f"{way}s"


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one meaning, by who reads them.

    Attributes:
        both: read by the claim reader and by the judge.
        claims: read by the claim reader alone.
        judge: read by the judge alone.
    """

    both: tuple[str, ...]
    claims: tuple[str, ...] = ()
    judge: tuple[str, ...] = ()

    @property
    def for_claims(self) -> tuple[str, ...]:
        """What the claim reader reads."""
        return self.both + self.claims

    @property
    def for_judge(self) -> tuple[str, ...]:
        """What the judge reads."""
        return self.both + self.judge


DIRECTION_VERBS: Final = {
    "upward": Words(
        both=("rise", "rises"),
        claims=("ascend", "ascends"),
        judge=(
            *("rising", "raise", "raises", "raised", "raising"),
            *("lift", "lifts", "lifted", "lifting"),
        ),
    ),
    "downward": Words(
        both=("descend", "descends", "sink", "sinks", "lowers"),
        judge=("descending", "lowering", "drop", "drops", "dropping"),
    ),
}
"""Verbs that say a direction by themselves. The claim reader takes those of which the subject is
surely what moves: who "raises" or "lifts" may move something else. "lower" is missing because it
is also part of a name ("lower arm")."""

PHASE_WORDS: Final = {
    "early": Words(
        both=("early", "initial", "beginning"),
        claims=("opening",),
        judge=("begin", "begins", "start", "starts", "starting", "first"),
    ),
    "middle": Words(
        both=("middle", "mid"),
        claims=("central",),
        judge=("subsequently", "then"),
    ),
    "late": Words(
        both=("late", "later", "final", "ending"),
        claims=("closing",),
        judge=("end", "ends", "eventually", "last"),
    ),
}
"""Phase -> words that name it. The claim reader takes them before a noun alone: "in the opening
stage". Words of order ("first", "then", "begins") do not tell it the phase."""

PHASE_ADVERBS: Final = {"early": "initially", "middle": "midway", "late": "finally"}
"""Phase -> the adverb that names it without a noun, for both readers."""


@dataclass(frozen=True, slots=True)
class BodyWord:
    """A word for something on the body.

    Attributes:
        word: in the singular.
        plural: as the readers know it; "" if they read the singular alone.
        part: which of the judge's `REGION` parts it belongs to.
        claim: the limb, or head or torso, that the claim reader takes it for; "" if it skips it.
        use: what the claim reader may conclude. "whole": all that is said of the word is true of
            the part. "piece": it can move by itself, so that its rest is not the part's rest.
            "goal": it can be approached, and is not taken as what moves.
        judge: whether the judge reads it. It reads longer names by the word in them ("upper arm"
            by "arm").
    """

    word: str
    plural: str
    part: str
    claim: str = ""
    use: Literal["whole", "piece", "goal"] = "whole"
    judge: bool = True


BODY_WORDS: Final = (
    BodyWord("head", "heads", "head", claim="head"),
    BodyWord("face", "", "head", claim="head", use="goal"),
    BodyWord("nose", "", "head", claim="head", use="goal", judge=False),
    BodyWord("mouth", "", "head", claim="head", use="goal", judge=False),
    BodyWord("chin", "", "head", claim="head", use="goal"),
    BodyWord("cheek", "", "head", claim="head", use="goal", judge=False),
    BodyWord("forehead", "", "head", claim="head", use="goal", judge=False),
    BodyWord("gaze", "", "head"),
    BodyWord("neck", "", "head"),
    BodyWord("torso", "", "torso", claim="torso"),
    BodyWord("trunk", "", "torso", claim="torso"),
    BodyWord("upper body", "", "torso"),
    BodyWord("chest", "", "torso"),
    BodyWord("back", "", "torso"),
    BodyWord("waist", "", "torso"),
    BodyWord("shoulder", "shoulders", "shoulder"),
    BodyWord("hand", "hands", "hand", claim="hand"),
    BodyWord("finger", "fingers", "hand", claim="hand", use="piece"),
    BodyWord("thumb", "thumbs", "hand"),
    BodyWord("palm", "palms", "hand", claim="hand"),
    BodyWord("fist", "fists", "hand", claim="hand"),
    BodyWord("wrist", "wrists", "hand"),
    BodyWord("upper arm", "upper arms", "arm", claim="upper arm", judge=False),
    BodyWord("lower arm", "lower arms", "arm", claim="lower arm", judge=False),
    BodyWord("forearm", "forearms", "arm", claim="lower arm"),
    BodyWord("arm", "arms", "arm"),
    BodyWord("elbow", "elbows", "arm"),
    BodyWord("upper limb", "upper limbs", "arm"),
    BodyWord("upper leg", "upper legs", "leg", claim="upper leg", judge=False),
    BodyWord("lower leg", "lower legs", "leg", claim="lower leg", judge=False),
    BodyWord("thigh", "thighs", "leg", claim="upper leg"),
    BodyWord("calf", "calves", "leg", claim="lower leg"),
    BodyWord("shin", "shins", "leg", claim="lower leg", judge=False),
    BodyWord("leg", "legs", "leg"),
    BodyWord("knee", "knees", "leg"),
    BodyWord("lower limb", "lower limbs", "leg"),
    BodyWord("foot", "feet", "foot", claim="foot"),
    BodyWord("toe", "toes", "foot"),
    BodyWord("ankle", "ankles", "foot"),
    BodyWord("heel", "heels", "foot"),
)

LIMB_GROUPS: Final = {
    "arms": ("upper arm", "lower arm"),
    "upper limbs": ("upper arm", "lower arm", "hand"),
    "legs": ("upper leg", "lower leg"),
    "legs and feet": ("upper leg", "lower leg", "foot"),
    "lower limbs": ("upper leg", "lower leg", "foot"),
}
"""Plural that stands for several limbs of both sides -> these limbs. Only the claim reader asks:
if such a group keeps still, so does each limb of it; if it moves, nothing is known of one limb."""

JUDGED_SIDED: Final = (
    *("head", "heads", "shoulder", "shoulders", "hand", "hands", "finger", "fingers"),
    *("arm", "arms", "elbow", "elbows", "forearm", "forearms"),
    *("leg", "legs", "knee", "knees", "thigh", "thighs", "calf", "foot", "feet"),
)
"""Words before which the judge reads a side: "left knee". The other words for limbs, such as "palm"
and "calves", are not listed, and the judge misses their side."""

REGION: Final = {
    "head": "head",
    "torso": "torso",
    "shoulder": "torso",
    "hand": "upper limb",
    "arm": "upper limb",
    "leg": "lower limb",
    "foot": "lower limb",
}
"""Part as the judge names it -> the broad region that it belongs to."""

TIME_OPPOSITES: Final = (("early", "late"), ("first", "last"), ("before", "after"))
"""Read by calibration and by the audit."""

PROSE_TIME_OPPOSITES: Final = (
    ("initial", "final"),
    ("initially", "finally"),
    ("beginning", "ending"),
    ("begins", "ends"),
)
"""Exchanged by calibration in references; the audit does not look for them in questions."""

RELATION_OPPOSITES: Final = (
    ("toward", "away from"),
    ("towards", "away from"),
    ("approach", "move away from"),
    ("increase", "decrease"),
    ("same", "opposite"),
    ("larger", "smaller"),
    ("more", "less"),
)
"""How two parts or movements stand to each other. Only the audit looks for them."""
