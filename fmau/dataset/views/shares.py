"""How many examples of a view each clip gets."""

from numpy.random import Generator


def shares(clips: int, mean: float, rng: Generator) -> list[int]:
    """So many examples for each clip that their mean is as asked, and as even as can be.

    >>> import numpy as np
    >>> sorted(shares(4, 1.5, np.random.default_rng(0)))
    [1, 1, 2, 2]
    """
    if not clips:
        return []
    each, more = divmod(round(mean * clips), clips)
    favoured = set(rng.permutation(clips)[:more].tolist())
    return [each + (index in favoured) for index in range(clips)]
