"""What the records of `scores.json` share."""

from pydantic import BaseModel, ConfigDict


class ScoreRecord(BaseModel):
    """Base of the records here: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(ScoreRecord):
    """A 95 % confidence interval, in the unit of the value it belongs to."""

    low: float
    high: float
