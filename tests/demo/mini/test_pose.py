"""Rotations and two-bone limbs, against SciPy, elementary geometry and vectors set by hand."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from fmau.demo.mini.pose import rotations, two_bones

LEFT, UP, FORWARD = np.eye(3)
ANGLES = st.floats(-1.5, 1.5)
VECTORS = arrays(np.float64, 3, elements=st.floats(-1, 1))
LENGTHS = st.floats(0.15, 0.6)


def rotation(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> np.ndarray:
    return rotations(np.array([pitch]), np.array([yaw]), np.array([roll]))[0]


@given(ANGLES, ANGLES, ANGLES)
@settings(max_examples=50, deadline=None)
def test_rotations_agree_with_scipy(pitch: float, yaw: float, roll: float) -> None:
    """A tilt to the left turns about the axis that points backward, hence the minus sign."""
    expected = Rotation.from_euler("YZX", [yaw, -roll, pitch]).as_matrix()
    np.testing.assert_allclose(rotation(pitch, yaw, roll), expected, atol=1e-12)


def test_sense_of_each_angle() -> None:
    assert rotation(pitch=0.3) @ UP @ FORWARD > 0.2, "leaning forward brings the top forward"
    assert rotation(pitch=0.3) @ FORWARD @ UP < -0.2, "nodding brings the face down"
    assert rotation(roll=0.3) @ UP @ LEFT > 0.2, "tilting left brings the top to the left"
    assert rotation(yaw=0.3) @ FORWARD @ LEFT > 0.2, "turning left brings the face to the left"
    np.testing.assert_allclose(rotation(), np.eye(3))


def test_two_bones_by_hand() -> None:
    """Two bones of length 1 over a span of the square root of 2 meet at a right angle."""
    goal = np.array([[0.0, 0.0, np.sqrt(2)]])
    middle, end = two_bones(np.zeros((1, 3)), goal, UP[None], 1.0, 1.0)
    np.testing.assert_allclose(middle, [[0.0, np.sqrt(0.5), np.sqrt(0.5)]])
    np.testing.assert_allclose(end, goal)


@given(VECTORS, VECTORS, VECTORS, LENGTHS, LENGTHS)
@settings(max_examples=100, deadline=None)
def test_two_bones_keep_their_lengths(
    start: np.ndarray, goal: np.ndarray, pole: np.ndarray, first: float, second: float
) -> None:
    reach = goal - start
    assume(np.linalg.norm(reach) > 0.01)
    assume(np.linalg.norm(np.cross(reach / np.linalg.norm(reach), pole)) > 0.01)
    middle, end = (a[0] for a in two_bones(start[None], goal[None], pole[None], first, second))
    assert np.linalg.norm(middle - start) == pytest.approx(first)
    assert np.linalg.norm(end - middle) == pytest.approx(second)
    off_axis = (middle - start) - (middle - start) @ reach / (reach @ reach) * reach
    assert off_axis @ pole >= -1e-9, "the middle joint bends toward the pole"

    distance = np.linalg.norm(reach)
    if abs(first - second) + 0.02 < distance < first + second - 1e-3:
        np.testing.assert_allclose(end, goal, atol=1e-9)
        inner = np.arccos((start - middle) @ (end - middle) / (first * second))
        law = np.arccos((first**2 + second**2 - distance**2) / (2 * first * second))
        assert inner == pytest.approx(law, abs=1e-6)
    else:
        nearest = np.clip(distance, abs(first - second), first + second)
        assert abs(np.linalg.norm(end - goal) - abs(distance - nearest)) < 0.021
        np.testing.assert_allclose(np.cross(end - start, reach), 0, atol=1e-9)
