"""Counts right answers per clip and computes accuracies with intervals from the counts.

`compute` and `breakdowns` use it.

Axis suffixes: C clips, K columns, B bootstrap draws.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fmau.score.intervals import clustered_means, mean_interval, wilson
from fmau.score.scores import Accuracy, Average


class Tally:
    """Right and wrong answers in several columns, over one set of clips.

    All columns use the same bootstrap draws, so means over columns get correct intervals too.

    Args:
        columns: column name -> for each question (clip, whether the answer is right).
    """

    def __init__(self, columns: Mapping[str, Iterable[tuple[str, bool]]]) -> None:
        outcomes = {name: list(rows) for name, rows in columns.items()}
        clips = sorted({clip for rows in outcomes.values() for clip, _ in rows})
        place = {clip: number for number, clip in enumerate(clips)}
        self._column = {name: number for number, name in enumerate(outcomes)}
        self.right_CK = np.zeros((len(clips), len(outcomes)))
        self.total_CK = np.zeros((len(clips), len(outcomes)))
        for column, rows in enumerate(outcomes.values()):
            for clip, is_right in rows:
                self.total_CK[place[clip], column] += 1
                self.right_CK[place[clip], column] += is_right
        self._share_BK = clustered_means(self.right_CK, self.total_CK)

    def accuracy(self, name: str) -> Accuracy | None:
        """The accuracy of one column; None if the column has no question."""
        column = self._column[name]
        right = int(self.right_CK[:, column].sum())
        total = int(self.total_CK[:, column].sum())
        if not total:
            return None
        clustered = None
        # The bootstrap runs over the clips of all columns. With one clip in this column, its
        # draws would all be equal.
        clips = int(np.count_nonzero(self.total_CK[:, column]))
        if self._share_BK is not None and clips > 1:
            clustered = mean_interval(self._share_BK[:, column], right / total, clips)
        return Accuracy(
            correct=right,
            total=total,
            percent=100 * right / total,
            wilson=wilson(right, total),
            clustered=clustered,
        )

    def average(self, names: Sequence[str]) -> Average | None:
        """The plain mean of the accuracies of columns; None if one of them has no question."""
        found = [self.accuracy(name) for name in names]
        percents = [accuracy.percent for accuracy in found if accuracy is not None]
        if not names or len(percents) < len(names):
            return None
        clustered = None
        mean = sum(percents) / len(percents)
        if self._share_BK is not None:
            clustered = mean_interval(self.share_B(names), mean / 100, len(self.total_CK))
        return Average(percent=mean, clustered=clustered)

    def share_B(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The mean share of right answers of columns, 0 to 1, in every bootstrap draw.

        Raises:
            ValueError: there are fewer than two clips to draw from.
        """
        if self._share_BK is None:
            raise ValueError("a bootstrap over clips needs two clips")
        means: NDArray[np.float64] = self._share_BK[:, [self._column[name] for name in names]].mean(
            axis=1
        )
        return means
