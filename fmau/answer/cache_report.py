"""Proof that no work was done twice, out of what client and server counted.

In a perfect session every clip is decoded once, sent once, and run through the vision tower once,
and its part of the prompt is prefilled once: the questions after the first find it in the server's
caches. Each of these is a count with an ideal beside it; what falls below 95 % of the ideal is
told, with the likely cause.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from fmau.serve.client import Reply

WARN_BELOW = 0.95

_ENCODER_RUNS = re.compile(rb"encoder inputs: (\d+)")
"""vLLM has no counter for it; with --enable-logging-iteration-details it logs each step's runs."""

_CROWDED = (
    "the server dropped clips while questions about them were waiting: lower "
    "answer.clips_in_flight, or give the KV cache more room (serve.gpu_memory_utilization, "
    "serve.cpu_kv_cache_gib)"
)


@dataclass(slots=True)
class CacheReport:
    """What one session did with its clips, and what it had to do.

    Attributes:
        clips: clips that a question was answered about.
        decodes, cached: clips decoded; clips whose frames a frame cache had.
        uploads: requests that carried the frames of a clip.
        encoder_runs: clips that went through the vision tower; None where no log of the server is
            at hand.
        followers: questions after the first reply about their clip.
        followers_reused: of them those that found all visual tokens in the prefix cache.
        computed_tokens: prompt tokens that the server did not find in its prefix cache.
        first_tokens: prompt tokens of the first replies.
        text_tokens: prompt tokens of the followers without the visual ones.
        beyond: cached tokens beyond the visual ones -> followers that found so many.
    """

    clips: int = 0
    decodes: int = 0
    cached: int = 0
    uploads: int = 0
    encoder_runs: int | None = None
    followers: int = 0
    followers_reused: int = 0
    computed_tokens: int = 0
    first_tokens: int = 0
    text_tokens: int = 0
    beyond: Counter[int] = field(default_factory=Counter)

    def first_reply(self, reply: Reply) -> None:
        """The first reply about a clip: all of its prompt had to be computed."""
        self.clips += 1
        if reply.prompt_tokens is not None:
            self.first_tokens += reply.prompt_tokens
            self.computed_tokens += reply.prompt_tokens - (reply.cached_tokens or 0)

    def later_reply(self, reply: Reply, visual_tokens: int) -> None:
        """A further reply about a clip."""
        if reply.prompt_tokens is None or reply.cached_tokens is None:
            return  # a server that does not count cannot be held to it
        self.followers += 1
        self.computed_tokens += reply.prompt_tokens - reply.cached_tokens
        self.text_tokens += reply.prompt_tokens - visual_tokens
        found = reply.cached_tokens - visual_tokens
        if found >= 0:
            self.followers_reused += 1
            self.beyond[found] += 1

    def add(self, other: "CacheReport") -> None:
        """Add what another server's share of the work took."""
        for name in ("clips", "decodes", "cached", "uploads", "followers", "followers_reused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("computed_tokens", "first_tokens", "text_tokens"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.encoder_runs is not None:
            self.encoder_runs = (self.encoder_runs or 0) + other.encoder_runs
        self.beyond += other.beyond

    @property
    def needed_tokens(self) -> int:
        """Prompt tokens to compute if nothing is done twice.

        That is the first prompt about each clip, and of the others what follows the shared part.
        How long that is, in whole KV blocks, is taken from the followers that reused theirs: the
        median of what they found beyond the visual tokens.
        """
        shared = int(median(self.beyond.elements())) if self.beyond else 0
        return self.first_tokens + self.text_tokens - self.followers * shared

    def shares(self) -> dict[str, float]:
        """What -> ideal / actual, 1.0 if nothing was done twice. Without what was not counted."""
        pairs = {
            "decoded": (self.clips, self.decodes),
            "sent": (self.clips, self.uploads),
            "encoded": (self.clips, self.encoder_runs or 0),
            "found in the prefix cache": (self.followers_reused, self.followers),
            "tokens": (self.needed_tokens, self.computed_tokens),
        }
        return {what: min(1.0, ideal / actual) for what, (ideal, actual) in pairs.items() if actual}

    def warnings(self) -> list[str]:
        """What was done more often than needed, and why; nothing if all is well."""
        shares = self.shares()
        low = {what for what, share in shares.items() if share < WARN_BELOW}
        found = []
        if "sent" in low:
            found.append(
                f"{self.uploads:,} uploads of {self.clips:,} clips: requests were repeated after "
                "faults, or the server dropped clips; lower answer.clips_in_flight in that case"
            )
        if "encoded" in low:
            found.append(
                f"{self.encoder_runs:,} runs of the vision tower for {self.clips:,} clips: the "
                "text common to all questions is shorter than a KV block, or " + _CROWDED
            )
        if low & {"found in the prefix cache", "tokens"}:
            found.append(
                f"{self.computed_tokens:,} prompt tokens computed where {self.needed_tokens:,} "
                f"were needed: {_CROWDED}"
            )
        return found

    def facts(self) -> dict[str, Any]:
        """For the manifest: the counts, their ideals, and the warnings."""
        return {
            "clips": self.clips,
            "decodes": self.decodes,
            "cached": self.cached,
            "uploads": self.uploads,
            "encoder_runs": self.encoder_runs,
            "followers": self.followers,
            "followers_reused": self.followers_reused,
            "computed_tokens": self.computed_tokens,
            "needed_tokens": self.needed_tokens,
            "shares": {what: round(share, 4) for what, share in self.shares().items()},
            "warnings": self.warnings(),
        }

    def text(self) -> str:
        """One line for people."""
        runs = "not counted" if self.encoder_runs is None else f"{self.encoder_runs:,}"
        decoded = f"{self.decodes:,} decoded"
        if self.cached:
            decoded += f" and {self.cached:,} out of the frame cache"
        line = (
            f"work per clip: {self.clips:,} clips, {decoded}, {self.uploads:,} sent, "
            f"vision tower {runs}"
        )
        if self.followers:
            line += (
                f"; {self.followers_reused:,} of {self.followers:,} later questions found their "
                f"clip in the prefix cache; {self.computed_tokens:,} prompt tokens computed, "
                f"{self.needed_tokens:,} needed"
            )
        return line


class EncoderLog:
    """Counts the runs of the vision tower in the logs of servers, from now on.

    Args:
        paths: of the logs; those that are not there count nothing.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._starts = {path: path.stat().st_size for path in paths if path.is_file()}

    def runs(self) -> int | None:
        """Clips encoded since; None without a log, or if the logs count none."""
        return sum(_encoder_runs(path, start) for path, start in self._starts.items()) or None


def _encoder_runs(path: Path, start: int) -> int:
    with path.open("rb") as log:
        log.seek(start)
        return sum(sum(map(int, _ENCODER_RUNS.findall(line))) for line in log)
