"""The frames of many clips, extracted once, so that training never decodes video.

    CACHE/cache.json           the `FramesBlock` that was asked for, and the version of this format
    CACHE/shard-00000.arrow    some clips, one a row, in Arrow's IPC file format
    CACHE/shard-00001.arrow    ...

A shard gets its name when it is complete and on the disk, so whatever has a shard's name is whole,
and killing the builder loses the one shard it was at. A clip stands in one shard only. There is no
index to keep in step: opening the cache reads the names in all shards, and `fmau frames` extracts
again what was deleted. Every row carries a checksum, which every reading checks.

pyarrow writes and maps the shards itself, in the format that `datasets` builds on: it can go on
with an unfinished folder, and loader processes start without an import of seconds.
"""

from fmau.frames.cache.build import CacheSummary, build_cache
from fmau.frames.cache.reader import FrameCache

__all__ = ["CacheSummary", "FrameCache", "build_cache"]
