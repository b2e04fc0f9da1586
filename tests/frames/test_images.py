"""Frames as images: each distinct frame once, in order, under a name that is its own."""

import base64
import io

import numpy as np
from PIL import Image

from fmau.frames.images import distinct_frames, image_parts
from tests.clips import drawn_frames, read_number


def shown(url: str) -> int:
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return read_number(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))))


def test_one_part_for_each_frame_in_order() -> None:
    parts = image_parts(drawn_frames([3, 1, 2, 7]))
    assert [part.keys() for part in parts] == [{"type", "image_url"}] * 4
    assert [shown(part["image_url"]["url"]) for part in parts] == [3, 1, 2, 7]


def test_a_repeated_frame_is_sent_once() -> None:
    frames = drawn_frames([0, 1, 2, 2, 2, 2])
    assert len(distinct_frames(frames)) == 3
    assert [shown(part["image_url"]["url"]) for part in image_parts(frames)] == [0, 1, 2]


def test_references_have_the_names_and_no_frames() -> None:
    frames, other = drawn_frames([0, 1]), drawn_frames([1, 5])
    named, bare = image_parts(frames, named=True), image_parts(frames, by_reference=True)
    assert [part["uuid"] for part in named] == [part["uuid"] for part in bare]
    assert len({part["uuid"] for part in named}) == 2
    assert all(part["image_url"] is None for part in bare)
    # Of another clip, a frame that is the same to the byte has the same name.
    assert image_parts(other, named=True)[0]["uuid"] == named[1]["uuid"]
