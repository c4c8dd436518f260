"""Photos of people with poses and outfits: figures on disk, and folders that are none."""

import csv

import numpy as np
import pytest
from hemline.datasets.pictures.worn.outfits import read_outfits
from hemline.datasets.simulated.figures import simulated_figures
from hemline.datasets.simulated.people.figure_outfits import write_outfits
from PIL import Image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_outfits(tmp_path_factory.mktemp("outfits") / "figures", 6, 2, size=24, test=0.34, seed=2)


def test_outfits_are_read_back_as_they_were_drawn(folder):
    outfits = read_outfits(str(folder), 24)
    truth = simulated_figures(6, 2, height=24, width=24, seed=2)
    np.testing.assert_array_equal(outfits.images, truth.images)
    np.testing.assert_allclose(outfits.joints * 24, truth.joints, atol=0.01)
    np.testing.assert_array_equal(outfits.worn, truth.worn[truth.people])
    np.testing.assert_array_equal(outfits.articles, truth.packshots[truth.people])
    assert outfits.slots == ("hat", "top", "jacket", "bottom", "shoes", "bag")
    assert outfits.sides == ("train",) * 8 + ("test",) * 4
    few = outfits.some(np.array([3, 1]))
    assert few.names == (outfits.names[3], outfits.names[1])
    assert few.content[1] == outfits.content[1] != few.content[0]


def test_fewer_slots_leave_the_others_empty(folder, tmp_path):
    with (folder / "outfits.csv").open(newline="") as file:
        rows = [{"photo": row["photo"], "dress": row["top"]} for row in csv.DictReader(file)]
    for name in ("photos", "articles", "keypoints.csv"):
        (tmp_path / name).symlink_to(folder / name)
    with (tmp_path / "outfits.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["photo", "dress"])
        table.writeheader()
        table.writerows(rows)
    outfits = read_outfits(str(tmp_path), 16, 8)
    assert outfits.slots == ("dress", "", "", "", "", "")
    assert outfits.sides == ("",) * 12
    assert outfits.worn[:, 0].all()
    assert not outfits.worn[:, 1:].any()
    assert outfits.articles.shape == (12, 6, 3, 8, 8)
    assert (outfits.articles[:, 1:] == 255).all()


POSE = "name:keypoints_y:keypoints_x\na.png:" + "[" + ", ".join(["4"] * 16) + "]:[" + ", ".join(["5"] * 16) + "]\n"


@pytest.mark.parametrize(
    ("table", "pose", "message"),
    [
        ("photo,a,b,c,d,e,f,g\na.png,,,,,,,\n", POSE, "outfits: expected one to 6 columns of slots in .*, got 7"),
        ("photo,side\na.png,train\n", POSE, "outfits: expected one to 6 columns of slots in .*, got 0"),
        ("picture,top\na.png,\n", POSE, "outfits: expected a column photo in .*, got picture, top"),
        ("photo,top\n", POSE, "outfits: expected rows in .*, got none"),
        ("photo,top\nb.png,\n", POSE, "outfits: expected a photo with keypoints in row 1 of .*, got 'b.png'"),
        ("photo,top,side\na.png,,left\n", POSE, "outfits: expected train or test as side in row 1 of .*, got 'left'"),
        ("photo,top\na.png,nope.png\n", POSE, "photos: expected a photo, got .*nope.png; there is no such file"),
        ("photo,top\na.png,\n", POSE.replace("[4, ", "[40, ", 1), "keypoints of a.png: expected points in a"),
        ("photo,top\na.png,\n", POSE.partition("a.png")[0] + "a.png:[1]:[2]\n", r"expected 16 \(MPII\) or 18"),
    ],
)  # fmt: skip
def test_folders_that_are_none(table, pose, message, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "outfits.csv").write_text(table)
    (tmp_path / "keypoints.csv").write_text(pose)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_outfits(str(tmp_path), 8)
