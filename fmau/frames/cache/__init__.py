"""The frame cache: the frames of many clips, extracted once, so that training never decodes video.

`fmau frames` fills it; training and `fmau answer` read it.

    CACHE/cache.json           the `FramesBlock` of all frames, and the version of this format
    CACHE/shard-00000.arrow    some clips, one per row, in Arrow's IPC file format
    CACHE/shard-00001.arrow    ...

A shard is written under a temporary name and renamed when it is complete and on the disk. So every
file with the name of a shard is complete, and killing the builder loses only the shard it was
filling. A clip is in one shard only. There is no index file: opening the cache reads the clip names
from all shards, and `fmau frames` extracts deleted clips again. Every row has a checksum, which is
verified at every read.

Shards are written with pyarrow, not with the `datasets` package, because pyarrow can continue an
unfinished folder and does not delay loader processes by seconds of imports.
"""

from fmau.frames.cache.build import CacheSummary, build_cache
from fmau.frames.cache.reader import FrameCache
from fmau.frames.cache.recheck import recheck

__all__ = ["CacheSummary", "FrameCache", "build_cache", "recheck"]
