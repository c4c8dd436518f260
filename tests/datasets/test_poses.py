"""Pairs of photos in two poses: files as DeepFashion's are laid out, simulated figures, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hemline.datasets.pictures.poses import joints_in, read_keypoints, read_pose_pairs
from hemline.datasets.pictures.skeletons import MPII, OPENPOSE
from hemline.datasets.simulated.figure_poses import simulated_pose_pairs, write_pose_pairs
from hemline.datasets.simulated.figures import SLOTS, simulated_figures
from PIL import Image

HEADER = "name:keypoints_y:keypoints_x\n"
POINTS = (list(range(10, 28)), list(range(5, 23)))


def laid_out(folder, poses: str = "", pairs: str = "from,to\na.jpg,b.jpg\n", **more: str):
    """A folder as DeepFashion's: two photos of 30 × 40 pixels with 18 points each."""
    (folder / "photos").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.jpg")):
        Image.new("RGB", (30, 40), (200 * number, 60, 90)).save(folder / "photos" / name)
    line = f"{POINTS[0]}: {POINTS[1]}\n"
    (folder / "keypoints.csv").write_text(HEADER + (poses or f"a.jpg: {line}b.jpg: {line}"))
    (folder / "pairs.csv").write_text(pairs)
    told = {"photos": "photos", "keypoints": "keypoints.csv", "pairs": "pairs.csv", **more}
    (folder / "own.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in told.items()))
    return str(folder / "own.toml")


def test_the_layout_of_deepfashion_is_read_into_squares(tmp_path):
    row = [-1, *POINTS[0][1:]], POINTS[1]
    found = read_pose_pairs(
        laid_out(tmp_path / "a", f"a.jpg: {row[0]}: {row[1]}\nb.jpg: {POINTS[0]}: {POINTS[1]}\n"), 80
    )
    assert found.names == ("a.jpg", "b.jpg")
    assert found.skeleton == OPENPOSE
    assert found.pairs.tolist() == [[0, 1]]
    assert found.held_out.shape == (0, 2)
    assert found.garments is None
    # The photo is 60 × 80 pixels in the square, 10 from its left side.
    assert np.isnan(found.joints[0, 0]).all()
    assert found.joints[0, 1].tolist() == [2 * 6 + 10, 2 * 11]
    assert found.images[:, 0, 40, 5].tolist() == [255, 255]
    assert abs(found.images[:, 0, 40, 40].astype(int) - [0, 200]).max() < 5


def test_joints_stand_where_the_photo_shows_them():
    photo = Image.new("RGB", (50, 31), "black")
    photo.paste((255, 255, 255), (40, 8, 43, 11))
    from hemline.datasets.pictures.photos import resize_photo

    seen = resize_photo(photo, 24)[0].astype(float)
    seen[:4], seen[-5:] = 0, 0  # the white beside the photo
    down, across = (np.average(np.arange(24) + 0.5, weights=seen.sum(axis=axis)) for axis in (1, 0))
    (joint,) = joints_in(np.array([[41.5, 9.5]]), (50, 31), 24, "keypoints")
    assert joint.tolist() == pytest.approx([across, down], abs=0.3)


def test_figures_are_the_same_in_memory_and_as_files(tmp_path):
    made = simulated_pose_pairs(3, 1, 3, size=24, seed=5)
    read = read_pose_pairs(write_pose_pairs(made, str(tmp_path / "people")), 24)
    assert read.names == made.names
    assert read.skeleton == made.skeleton == MPII
    for name in ("images", "pairs", "held_out", "garments"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    np.testing.assert_allclose(read.joints, made.joints, atol=0.006)
    assert len(made.pairs) == 18
    assert {tuple(sorted(name[:5] for name in (made.names[i], made.names[j]))) for i, j in made.pairs} == {
        (f"{person:05d}",) * 2 for person in range(3)
    }
    known = simulated_figures(4, 3, height=24, width=24, seed=5)
    np.testing.assert_array_equal(made.images, known.images)
    first = known.masks[0].max(axis=0) > 127
    np.testing.assert_array_equal(made.garments[0] > 0, first)
    assert {SLOTS[number - 1] for number in np.unique(made.garments[0]) if number} <= {
        garment.slot for garment in known.figures[0].outfit
    }


LINE = f"{POINTS[0]}: {POINTS[1]}\n"


@pytest.mark.parametrize(
    ("poses", "told"),
    [
        (f"a.jpg: {LINE}b.jpg: {[1] * 16}: {[1] * 16}\n", "expected 18 points, as the poses before it have, got 16"),
        (f"a.jpg: {[1] * 14}: {[1] * 14}\n", "expected 16 (MPII) or 18 (OpenPose) points, got 14"),
        (f"a.jpg: {LINE}b.jpg: {[-1] * 18}: {[-1] * 18}\n", "got one whose keypoints are all missing"),
        (f"a.jpg: {LINE}b.jpg: {[50] * 18}: {POINTS[1]}\n", "expected points in a photo of 30 × 40 pixels, got"),
        (f"a.jpg: {LINE}b.jpg: {[-3] * 18}: {POINTS[1]}\n", "expected keypoints in the photo, or -1, got [5.0, -3.0]"),
        (f"a.jpg: {LINE}b.jpg: {POINTS[0]}: [1, 2]\n", "expected as many numbers for y as for x, got 18 and 2"),
        (f"a.jpg: {LINE}b.jpg: there: here\n", "expected a list of numbers such as [44, -1], got ' there'"),
        (f"a.jpg: {LINE}a.jpg: {LINE}", "expected the name of another photo in the folder, got 'a.jpg'"),
        (f"a.jpg: {LINE}../b.jpg: {LINE}", "expected the name of another photo in the folder, got '../b.jpg'"),
        (f"a.jpg: {LINE}", "line 2 of"),
        ("a.jpg\n", "keypoints: expected 3 cells in line 2 of"),
        ("\n", "keypoints: expected poses in"),
    ],
)
def test_poses_that_are_none_are_refused_in_one_line(tmp_path, poses, told):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 : the text is looked at below
        read_pose_pairs(laid_out(tmp_path / "a", poses), 40)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pairs": "from,to\na.jpg,c.jpg\n"}, "expected a photo with keypoints, got 'c.jpg'"),
        ({"pairs": "from,to\n"}, "pairs: expected pairs in"),
        ({"pairs": "source,target\na.jpg,b.jpg\n"}, "pairs: expected the columns from,to in"),
        ({"pairs": "from,to\na.jpg\n"}, "pairs: expected 2 cells in line 2 of"),
        ({"poses": f"a.jpg: {LINE}b.jpg: {LINE}c.jpg: {LINE}", "pairs": "from,to\na.jpg,c.jpg\n"}, "no such file"),
        ({"masks": "photos"}, "masks"),
        ({"garments": "photos"}, "a.png; there is no such file"),
        ({"held_out": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_pairs_and_photos_that_are_not_there_are_refused_in_one_line(tmp_path, options, told):
    with pytest.raises((ValueError, FileNotFoundError)) as refused:
        read_pose_pairs(laid_out(tmp_path / "a", **options), 40)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_photo_that_is_none_is_named(tmp_path):
    described = laid_out(tmp_path / "a")
    (tmp_path / "a" / "photos" / "b.jpg").write_text("no picture")
    with pytest.raises(ValueError, match=r"photos: .*b.jpg: photo: expected a picture"):
        read_pose_pairs(described, 40)


def test_garments_have_the_size_of_their_photo(tmp_path):
    described = laid_out(tmp_path / "a", garments="garments")
    (tmp_path / "a" / "garments").mkdir()
    for name in ("a", "b"):
        Image.new("L", (30, 40), 3).save(tmp_path / "a" / "garments" / f"{name}.png")
    found = read_pose_pairs(described, 40)
    assert set(found.garments[0, :, 5:35].ravel()) == {3}
    assert set(found.garments[0, :, :5].ravel()) == {0}
    Image.new("L", (30, 39), 3).save(tmp_path / "a" / "garments" / "a.png")
    with pytest.raises(ValueError, match="garments: expected 30 × 40 pixels like the photo, got 30 × 39"):
        read_pose_pairs(described, 40)


def test_keypoints_are_read_at_an_address(tmp_path):
    import fsspec

    with fsspec.open("memory://poses/keypoints.csv", "wb") as file:
        file.write(f"{HEADER}a.jpg: {LINE}".encode())
    assert read_keypoints("memory://poses/keypoints.csv")["a.jpg"].shape == (18, 2)


def test_one_photo_of_each_makes_no_pair():
    with pytest.raises(ValueError, match="photos: expected two or more of each person, got 1"):
        simulated_pose_pairs(2, 0, 1)
