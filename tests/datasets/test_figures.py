"""Figures with known truth: what their joints, masks, packshots and changes say about the photos."""

from dataclasses import replace

import numpy as np
import pytest
from hemline.datasets.simulated.figure_bodies import JOINTS, Body, Pose, drawn_body, drawn_pose, joint_places
from hemline.datasets.simulated.figure_garments import SLOTS, Garment, draw, packshot, pieces_of
from hemline.datasets.simulated.figures import draw_figure, in_slots, joints_of, simulated_figures

SIDE = 48


@pytest.fixture(scope="module")
def figures():
    return simulated_figures(12, 2, height=SIDE, width=SIDE, standing="anywhere", seed=3)


def changed(figure, other):
    return (draw_figure(figure, SIDE, SIDE)[0] != draw_figure(other, SIDE, SIDE)[0]).any(axis=0)


def test_shapes_and_values(figures):
    assert figures.images.shape == (24, 3, SIDE, SIDE)
    assert figures.masks.shape == (24, len(SLOTS), SIDE, SIDE)
    assert figures.joints.shape == (24, len(JOINTS), 2)
    assert figures.packshots.shape == (12, len(SLOTS), 3, 32, 32)
    assert figures.people.tolist() == [number for number in range(12) for _ in range(2)]
    assert (figures.masks.sum(axis=1) <= 255 + len(SLOTS)).all()  # a point shows one garment, up to rounding


def test_a_person_is_the_same_whatever_there_are_of_others(figures):
    fewer = simulated_figures(2, 1, height=SIDE, width=SIDE, standing="anywhere", seed=3)
    np.testing.assert_array_equal(fewer.images, figures.images[[0, 2]])
    np.testing.assert_array_equal(fewer.packshots, figures.packshots[:2])
    other = simulated_figures(2, 1, height=SIDE, width=SIDE, standing="anywhere", seed=4)
    assert (other.images != fewer.images).any()


def test_limbs_have_the_lengths_of_the_body():
    rng = np.random.default_rng(0)
    for _ in range(20):
        body, pose = drawn_body(rng), drawn_pose(rng)
        at = dict(zip(JOINTS, joint_places(body, pose), strict=True))
        limbs = {
            "thigh": ("hip", "knee"),
            "shin": ("knee", "ankle"),
            "arm": ("shoulder", "elbow"),
            "forearm": ("elbow", "wrist"),
        }
        for limb, (begin, end) in limbs.items():
            for side in ("right", "left"):
                length = np.linalg.norm(at[f"{side} {begin}"] - at[f"{side} {end}"])
                assert length == pytest.approx(getattr(body, limb))
        assert np.linalg.norm(at["right shoulder"] - at["left shoulder"]) == pytest.approx(body.shoulders)
        assert np.linalg.norm(at["head"] - at["pelvis"]) == pytest.approx(body.torso + body.neck + body.head)


def test_joints_lie_on_the_figure():
    """At a bare joint the photo has the colour of the skin, at a dressed one that of the garment."""
    body = Body(skin=(250, 10, 10))
    trousers = Garment("bottom", (10, 10, 250), length=2.0)
    pose = Pose(arms=(1.2, 1.2))
    at = dict(zip(JOINTS, joint_places(body, pose) * 100 + 80, strict=True))
    image, masks = draw(pieces_of(body, pose, [trousers]), np.full((3, 160, 160), 200.0), 100.0, np.array([80.0, 80.0]))

    def colour(joint):
        right, down = at[joint].astype(int)
        return image[:, down, right].astype(int), masks[SLOTS.index("bottom"), down, right]

    for joint in ("right elbow", "left wrist", "right shoulder", "thorax"):
        pixel, share = colour(joint)
        assert pixel[0] > 4 * max(pixel[1:])
        assert share == 0
    for joint in ("right knee", "left knee", "right hip", "left hip"):
        pixel, share = colour(joint)
        assert pixel[2] > 4 * max(pixel[:2])
        assert share == 255


def test_figures_stand_wholly_inside(figures):
    assert figures.joints.min() > 0
    assert figures.joints.max() < SIDE
    bare = [draw_figure(replace(figure, scale=1e-3), SIDE, SIDE)[0] for figure in figures.figures]
    ring = np.ones((SIDE, SIDE), dtype=bool)
    ring[1:-1, 1:-1] = False
    np.testing.assert_array_equal(figures.images[:, :, ring], np.stack(bare)[:, :, ring])


def test_another_colour_changes_the_pixels_of_the_mask_and_no_others(figures):
    tops = SLOTS.index("top")
    for number, figure in enumerate(figures.figures):
        own = next(garment for garment in figure.outfit if garment.slot == "top")
        other = replace(own, colour=(255, 0, 255), second=(0, 255, 0))
        np.testing.assert_array_equal(changed(figure, figure.wearing(other)), figures.masks[number, tops] > 0)
        assert figure.wearing(own) == figure
    assert (figures.masks[:, tops] > 0).any(axis=(1, 2)).all()


def test_what_is_not_worn_has_an_empty_mask_and_a_white_packshot(figures):
    for number, person in enumerate(figures.people):
        for slot in range(len(SLOTS)):
            if not figures.worn[person, slot]:
                assert not figures.masks[number, slot].any()
                assert (figures.packshots[person, slot] == 255).all()
            else:
                assert (figures.packshots[person, slot] != 255).any()
    figure = figures.figures[0]
    assert "top" not in [garment.slot for garment in figure.without("top").outfit]
    assert not draw_figure(figure.without("top"), SIDE, SIDE)[1][SLOTS.index("top")].any()


def test_an_arm_before_the_torso_hides_the_garment_and_behind_it_does_not():
    top = Garment("top", (10, 10, 250), sleeves=0.0)
    middle, ground = np.array([24.0, 26.0]), np.full((3, SIDE, SIDE), 200.0)

    def seen(front):
        pose = Pose(arms=(0.2, 0.2), elbows=(-1.6, 0.0), in_front=(front, True))
        return draw(pieces_of(Body(), pose, [top]), ground, 40.0, middle)[1][SLOTS.index("top")].sum()

    assert seen(True) < 0.95 * seen(False)


def test_a_packshot_has_the_colours_of_the_garment():
    plain = packshot(Garment("top", (40, 160, 80)), 64)
    inside = (plain < 200).any(axis=0)
    assert 0.15 < inside.mean() < 0.9
    shares = plain[:, inside] / np.array([40, 160, 80])[:, None]
    assert np.median(shares) > 0.85
    striped = packshot(Garment("top", (0, 0, 0), "stripes", (250, 0, 0), period=0.05), 64)
    assert 0.3 < (striped[0][inside] > 120).mean() < 0.5


def test_another_pose_keeps_the_person(figures):
    first, second = figures.figures[:2]
    moved = first.standing_as(second)
    assert moved.outfit == first.outfit
    np.testing.assert_array_equal(joints_of(moved), figures.joints[1])
    assert not changed(replace(moved, ground=second.ground, floor=second.floor), second).any()


def fixed_mask_overlap(standing):
    """IoU of the mask of each top with the one fixed mask that suits all best, the mean."""
    masks = simulated_figures(60, 1, height=32, width=32, standing=standing).masks[:, SLOTS.index("top")] > 127
    share = masks.mean(axis=0)
    fixed = [share >= bound for bound in np.linspace(0.02, 0.6, 30)]
    return max(np.mean([(mask & one).sum() / max((mask | one).sum(), 1) for mask in masks]) for one in fixed)


def test_a_fixed_mask_says_little_where_figures_stand_anywhere():
    assert fixed_mask_overlap("anywhere") < 0.2 < 0.35 < fixed_mask_overlap("middle")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: simulated_figures(0), "people: expected a whole number from 1"),
        (lambda: simulated_figures(2, height=8), "height: expected"),
        (lambda: simulated_figures(2, standing="left"), "standing: expected"),
        (lambda: in_slots([Garment("scarf", (0, 0, 0))]), "slot: expected one of .*'scarf'"),
        (lambda: in_slots([Garment("top", (0, 0, 0))] * 2), "outfit: expected at most one garment for top, got 2"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        call()
