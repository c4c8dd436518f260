"""Bodies and poses of simulated figures: lengths, angles, and where that puts the joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..pictures.skeletons import MPII

JOINTS = MPII.joints
"""In the order of MPII: `thorax` is where the shoulders meet, `head` the top of the head; right and left are the
figure's, who faces the viewer."""

PLACE = {name: number for number, name in enumerate(JOINTS)}


@dataclass(frozen=True)
class Body:
    """Lengths and widths as shares of the figure's height, and colours.

    Arguments:
        torso: from the pelvis to the thorax.
        neck: from the thorax to the neck.
        head: from the neck to the top of the head.
        thigh: from hip to knee.
        shin: from knee to ankle.
        arm: from shoulder to elbow.
        forearm: from elbow to wrist.
        shoulders: between both.
        hips: between both.
        stout: all widths times this.
        skin: red, green and blue, 0…255.
        hair: likewise.
    """

    torso: float = 0.29
    neck: float = 0.05
    head: float = 0.14
    thigh: float = 0.25
    shin: float = 0.23
    arm: float = 0.16
    forearm: float = 0.15
    shoulders: float = 0.21
    hips: float = 0.11
    stout: float = 1.0
    skin: tuple[int, int, int] = (224, 182, 150)
    hair: tuple[int, int, int] = (70, 45, 30)


@dataclass(frozen=True)
class Pose:
    """Angles in radians: 0 is straight down, and more turns a limb away from the middle of the body.

    Arguments:
        lean: of the torso, to the viewer's right.
        arms: of the right and the left upper arm.
        elbows: what the forearms are turned by beyond the upper arms.
        legs: of the right and the left thigh.
        knees: what the shins are turned by beyond the thighs.
        in_front: whether the right and the left arm are before the torso; behind it otherwise.
    """

    lean: float = 0.0
    arms: tuple[float, float] = (0.3, 0.3)
    elbows: tuple[float, float] = (0.0, 0.0)
    legs: tuple[float, float] = (0.06, 0.06)
    knees: tuple[float, float] = (0.0, 0.0)
    in_front: tuple[bool, bool] = (True, True)


STRAIGHT = Pose()
"""In which packshots are drawn."""


def drawn_body(rng: np.random.Generator) -> Body:
    """A body by chance."""
    skins = ((244, 208, 177), (224, 182, 150), (190, 140, 105), (140, 95, 65), (95, 62, 45))
    hairs = ((30, 25, 22), (70, 45, 30), (120, 80, 45), (200, 165, 100), (150, 150, 150))
    own = Body()
    lengths = ("torso", "thigh", "shin", "arm", "forearm", "shoulders", "hips")
    changed = {name: getattr(own, name) * float(rng.uniform(0.92, 1.08)) for name in lengths}
    skin, hair = skins[int(rng.integers(len(skins)))], hairs[int(rng.integers(len(hairs)))]
    return Body(**changed, stout=float(rng.uniform(0.9, 1.2)), skin=skin, hair=hair)


def drawn_pose(rng: np.random.Generator) -> Pose:
    """A pose by chance: arms anywhere from the hips to above the head, legs apart or together."""

    def pair(low: float, high: float) -> tuple[float, float]:
        right, left = rng.uniform(low, high, 2).tolist()
        return right, left

    front = rng.random(2) < 0.6
    return Pose(
        lean=float(rng.uniform(-0.15, 0.15)),
        arms=pair(0.05, 2.4),
        elbows=pair(-1.6, 0.6),
        legs=pair(0.0, 0.45),
        knees=pair(-0.4, 0.1),
        in_front=(bool(front[0]), bool(front[1])),
    )


def joint_places(body: Body, pose: Pose) -> np.ndarray:
    """Where the joints are: float64 ``[16, 2]``, to the right and downwards, from the pelvis, in figure heights.

    The joints stand in the order of `JOINTS`.
    """
    places = np.zeros((len(JOINTS), 2))
    up = np.array([np.sin(pose.lean), -np.cos(pose.lean)])
    across = np.array([-up[1], up[0]])  # to the viewer's right: the figure's left
    thorax = up * body.torso
    places[PLACE["thorax"]] = thorax
    places[PLACE["neck"]] = thorax + up * body.neck
    places[PLACE["head"]] = thorax + up * (body.neck + body.head)
    for number, (side, sign) in enumerate((("right", -1.0), ("left", 1.0))):
        shoulder = thorax + sign * across * body.shoulders / 2
        elbow = shoulder + body.arm * _towards(sign, pose.arms[number])
        wrist = elbow + body.forearm * _towards(sign, pose.arms[number] + pose.elbows[number])
        hip = np.array([sign * body.hips / 2, 0.0])
        knee = hip + body.thigh * _towards(sign, pose.legs[number])
        ankle = knee + body.shin * _towards(sign, pose.legs[number] + pose.knees[number])
        limbs = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hip": hip, "knee": knee, "ankle": ankle}
        for joint, place in limbs.items():
            places[PLACE[f"{side} {joint}"]] = place
    return places


def _towards(sign: float, angle: float) -> np.ndarray:
    return np.array([sign * np.sin(angle), np.cos(angle)])
