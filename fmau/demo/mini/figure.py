"""The drawn person: proportions, clothes, surroundings, and the camera.

Lengths are in metres in the body frame of `fmau.demo.mini.plan`; colours are RGB, 0-255.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

Colour = tuple[int, int, int]

SKIN = (
    (255, 224, 196),
    (241, 194, 150),
    (224, 172, 125),
    (198, 134, 88),
    (141, 85, 54),
    (92, 58, 40),
)
HAIR = ((30, 24, 20), (70, 45, 28), (120, 80, 45), (190, 150, 90), (150, 150, 155), (110, 40, 25))
SHIRTS = (
    (52, 84, 140),
    (160, 50, 50),
    (60, 120, 80),
    (230, 230, 225),
    (90, 90, 100),
    (200, 160, 60),
    (120, 70, 140),
    (40, 130, 140),
    (220, 130, 110),
    (45, 50, 65),
)
TROUSERS = ((40, 48, 78), (70, 70, 75), (120, 100, 75), (30, 30, 34), (90, 110, 140), (100, 60, 60))
SHOES = ((235, 235, 235), (60, 40, 28), (20, 20, 22), (170, 60, 50), (60, 90, 150))
WALLS = ((214, 220, 226), (226, 218, 204), (200, 212, 200), (188, 196, 212), (222, 206, 206))
FLOORS = ((150, 130, 110), (120, 122, 128), (172, 160, 140), (98, 88, 80))
CHAIRS = ((80, 60, 45), (50, 55, 60), (130, 40, 40), (40, 70, 60))


LOOK_AT = (0.0, 0.13, 0.12)
"""The point in the middle of every picture, in the body frame."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole that looks at `LOOK_AT`.

    Attributes:
        yaw, pitch: radians; it stands to the subject's left by yaw and above by pitch.
        distance: to the point looked at, metres.
        span: height of the picture at that distance, metres.
    """

    yaw: float
    pitch: float
    distance: float
    span: float


@dataclass(frozen=True, slots=True)
class Subject:
    """A person on a chair in front of a camera.

    Attributes:
        trunk: hip to base of neck. shoulder: half the shoulder width. hip: half the hip width.
        upper_arm, lower_arm, hand, upper_leg, lower_leg, foot: lengths. head: height of the head.
        girth: factor on the thickness of trunk and limbs.
        sleeves: how far sleeves reach, 0 (short) to 1 (wrist).
        hair_style: 0 short, 1 long, 2 bun. glasses: whether glasses are worn.
        decor: 0 plain wall, 1 picture, 2 window, 3 shelf.
    """

    trunk: float
    shoulder: float
    hip: float
    upper_arm: float
    lower_arm: float
    hand: float
    upper_leg: float
    lower_leg: float
    foot: float
    head: float
    girth: float
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    wall: Colour
    floor: Colour
    chair: Colour
    sleeves: float
    hair_style: int
    glasses: bool
    decor: int
    camera: Camera


def sample_subject(rng: Generator) -> Subject:
    """A person drawn at random; equal generator states give equal people."""

    def about(value: float, spread: float = 0.07) -> float:
        return float(value * rng.uniform(1 - spread, 1 + spread))

    def one_of(colours: tuple[Colour, ...]) -> Colour:
        base = colours[rng.integers(len(colours))]
        red, green, blue = (int(np.clip(c + rng.integers(-12, 13), 0, 255)) for c in base)
        return red, green, blue

    trunk, shoulder, hip = about(0.47), about(0.185), about(0.10)
    upper_arm, lower_arm, hand = about(0.27), about(0.25), about(0.19, 0.05)
    upper_leg, lower_leg, foot = about(0.42), about(0.41), about(0.25)
    return Subject(
        trunk=trunk,
        shoulder=shoulder,
        hip=hip,
        upper_arm=upper_arm,
        lower_arm=lower_arm,
        hand=hand,
        upper_leg=upper_leg,
        lower_leg=lower_leg,
        foot=foot,
        head=about(0.25, 0.05),
        girth=about(1.0, 0.18),
        skin=one_of(SKIN),
        hair=one_of(HAIR),
        shirt=one_of(SHIRTS),
        trousers=one_of(TROUSERS),
        shoes=one_of(SHOES),
        wall=one_of(WALLS),
        floor=one_of(FLOORS),
        chair=one_of(CHAIRS),
        sleeves=float(rng.choice([0.0, 0.5, 1.0])),
        hair_style=int(rng.integers(3)),
        glasses=bool(rng.random() < 0.35),
        decor=int(rng.integers(4)),
        camera=_sample_camera(rng, low=-lower_leg - 0.06, front=upper_leg + 0.03 + 0.75 * foot),
    )


def _sample_camera(rng: Generator, *, low: float, front: float) -> Camera:
    """A camera in whose picture there is room for feet at this height and this far in front."""
    yaw, pitch = float(rng.uniform(-0.2, 0.2)), float(rng.uniform(0.22, 0.36))
    distance, span = float(rng.uniform(2.6, 3.4)), float(rng.uniform(1.62, 1.76))
    _, middle_y, middle_z = LOOK_AT
    below = (middle_y - low) * np.cos(pitch) + (front - middle_z) * np.sin(pitch)
    depth = distance + (middle_y - low) * np.sin(pitch) - (front - middle_z) * np.cos(pitch)
    return Camera(yaw, pitch, distance, max(span, float(2.06 * below * distance / depth)))
