"""Show from the counts of client and server that no work was done twice.

In an ideal session each clip is decoded once, sent once, and encoded by the vision tower once. Its
part of the prompt is prefilled once; later questions find it in the server's caches. `CacheReport`
compares each count with its ideal. A ratio below 95 % gives a warning with the likely cause. The
engine fills the report, and the summary prints it.
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
"""vLLM has no counter of vision tower runs. With --enable-logging-iteration-details it logs the
runs of each step."""

_CROWDED = (
    "the server dropped clips while questions about them were waiting: lower "
    "answer.clips_in_flight, or give the KV cache more room (serve.gpu_memory_utilization, "
    "serve.cpu_kv_cache_gib)"
)


@dataclass(slots=True)
class CacheReport:
    """Counts of the work that one session did per clip.

    The *first* reply about a clip has to compute its whole prompt. *Followers* are the later
    questions about the same clip.

    Attributes:
        clips: clips with at least one reply.
        inputs: their videos, or images, which the vision tower has to see.
        decodes: clips that were decoded.
        cached: clips whose frames came from the frame cache.
        uploads: requests that carried the frames of a clip.
        encoder_runs: runs of the vision tower; None without a server log to read.
        followers: later questions whose reply has token counts.
        followers_reused: followers that found all visual tokens in the prefix cache.
        computed_tokens: prompt tokens that the server did not find in its prefix cache.
        first_tokens: prompt tokens of the first replies.
        text_tokens: prompt tokens of the followers, without visual tokens.
        beyond: histogram over the followers that reused their clip: number of cached tokens
            beyond the visual ones -> number of followers.
    """

    clips: int = 0
    inputs: int = 0
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

    def first_reply(self, reply: Reply, inputs: int = 1) -> None:
        """Count the first reply about a clip; the server had to compute its whole prompt.

        Args:
            inputs: number of videos or images that the clip was sent as.
        """
        self.clips += 1
        self.inputs += inputs
        self._whole_prompt(reply)

    def _whole_prompt(self, reply: Reply) -> None:
        if reply.prompt_tokens is not None:
            self.first_tokens += reply.prompt_tokens
            self.computed_tokens += reply.prompt_tokens - (reply.cached_tokens or 0)

    def later_reply(self, reply: Reply, visual_tokens: int, *, shares: bool = True) -> None:
        """Count a later reply about a clip.

        Args:
            shares: an earlier prompt begins like this one, up to the end of the clip. If none does,
                because the system prompt is another, only the vision tower's work is used again.
        """
        if not shares:
            self._whole_prompt(reply)
            return
        if reply.prompt_tokens is None or reply.cached_tokens is None:
            return  # this server reports no token counts, so there is nothing to compare
        self.followers += 1
        self.computed_tokens += reply.prompt_tokens - reply.cached_tokens
        self.text_tokens += reply.prompt_tokens - visual_tokens
        found = reply.cached_tokens - visual_tokens
        if found >= 0:
            self.followers_reused += 1
            self.beyond[found] += 1

    def add(self, other: "CacheReport") -> None:
        """Add the counts of another server."""
        for name in (
            "clips",
            "inputs",
            "decodes",
            "cached",
            "uploads",
            "followers",
            "followers_reused",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("computed_tokens", "first_tokens", "text_tokens"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.encoder_runs is not None:
            self.encoder_runs = (self.encoder_runs or 0) + other.encoder_runs
        self.beyond += other.beyond

    @property
    def needed_tokens(self) -> int:
        """Prompt tokens that have to be computed if nothing is computed twice.

        These are the whole first prompt of each clip, and the text after the shared prefix of each
        follower. The prefix cache holds whole KV blocks, so the length of the shared text is
        measured: it is the median of `beyond`, the cached tokens beyond the visual ones.
        """
        shared = int(median(self.beyond.elements())) if self.beyond else 0
        return self.first_tokens + self.text_tokens - self.followers * shared

    def shares(self) -> dict[str, float]:
        """Kind of work -> ideal / actual; 1.0 if nothing was done twice.

        A kind of work that was not counted is left out.
        """
        pairs = {
            "decoded": (self.clips, self.decodes),
            "sent": (self.clips, self.uploads),
            "encoded": (self.inputs, self.encoder_runs or 0),
            "found in the prefix cache": (self.followers_reused, self.followers),
            "tokens": (self.needed_tokens, self.computed_tokens),
        }
        return {what: min(1.0, ideal / actual) for what, (ideal, actual) in pairs.items() if actual}

    def warnings(self) -> list[str]:
        """One text per kind of work that was repeated, with the likely cause; empty if none."""
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
                f"{self.encoder_runs:,} runs of the vision tower for {self._seen()}: the "
                "text common to all questions is shorter than a KV block, or " + _CROWDED
            )
        if low & {"found in the prefix cache", "tokens"}:
            found.append(
                f"{self.computed_tokens:,} prompt tokens computed where {self.needed_tokens:,} "
                f"were needed: {_CROWDED}"
            )
        return found

    def _seen(self) -> str:
        if self.inputs == self.clips:
            return f"{self.clips:,} clips"
        return f"{self.inputs:,} images of {self.clips:,} clips"

    def facts(self) -> dict[str, Any]:
        """The counts, their ideals and the warnings as a JSON-able dict, for the manifest."""
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
        """The counts in one line, for people."""
        runs = "not counted" if self.encoder_runs is None else f"{self.encoder_runs:,}"
        decoded = f"{self.decodes:,} decoded"
        if self.cached:
            decoded += f" and {self.cached:,} from the frame cache"
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
    """Counts the vision tower runs that servers log after this object was created.

    Args:
        paths: log files; missing files are ignored.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._starts = {path: path.stat().st_size for path in paths if path.is_file()}

    def runs(self) -> int | None:
        """Vision tower runs since creation; None without a log, or if the logs report no run."""
        return sum(_encoder_runs(path, start) for path, start in self._starts.items()) or None


def _encoder_runs(path: Path, start: int) -> int:
    with path.open("rb") as log:
        log.seek(start)
        return sum(sum(map(int, _ENCODER_RUNS.findall(line))) for line in log)
