"""People in articles: figures on disk, the layouts that are read, and garments cut out by masks."""

import csv
import json

import numpy as np
import pytest
from hemline.datasets.pictures.worn.pairs import load_worn, whole_photo, worn_rows
from hemline.datasets.simulated.people.figure_photos import write_worn_figures
from PIL import Image


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worn") / "figures"
    return write_worn_figures(folder, 12, 2, height=32, width=24, standing="anywhere", test=0.25, seed=1)[0]


def test_figures_are_read_back_with_their_truth(figures):
    pairs = load_worn(worn_rows(str(figures)), 32, 24)
    assert len(pairs) > 6
    assert pairs.images.shape == (len(pairs), 3, 32, 24)
    test = pairs.some(np.array([row.side == "test" for row in pairs.rows]))
    assert {row.side for row in pairs.rows} == {"train", "test"}
    assert len(test) > 0
    # The truth differs from the photo where the mask is, and nowhere else: the garment wanted has the same cut.
    changed = (test.truths != test.images).any(axis=1)
    assert not (changed & (test.masks == 0)).any()
    assert changed[test.masks == 255].mean() > 0.9
    assert ((pairs.masks > 127).mean(axis=(1, 2)) >= 0.01).all()
    again = write_worn_figures(
        figures.parent.parent / "again", 12, 2, height=32, width=24, standing="anywhere", test=0.25, seed=1
    )
    assert again[0].read_bytes() == figures.read_bytes()
    for name in ("image", "truth"):
        for file in (figures.parent / name).iterdir():
            assert file.read_bytes() == (again[0].parent / name / file.name).read_bytes()


def test_a_packshot_is_whole_on_white_in_a_rectangle():
    shot = np.asarray(whole_photo(Image.new("RGB", (30, 10), "red"), 32, 24))
    assert shot.shape == (3, 32, 24)
    assert (shot[:, :11] == 255).all()
    assert (shot[0] == 255).all()
    assert (shot[1, 13:19] == 0).all()


def test_the_layout_of_people_and_packshots_of_the_same_names(tmp_path):
    for side in ("train", "test"):
        for folder in ("image", "cloth"):
            (tmp_path / side / folder).mkdir(parents=True)
            for name in ("a.png", "b.png"):
                Image.new("RGB", (8, 8), "red").save(tmp_path / side / folder / name)
    rows = worn_rows(str(tmp_path))
    names = ("train/image/a.png", "train/image/b.png", "test/image/a.png", "test/image/b.png")
    assert [(row.person, row.article, row.side) for row in rows] == [
        (f"{tmp_path}/{name}", f"{tmp_path}/{name.replace('image', 'cloth')}", name.partition("/")[0]) for name in names
    ]
    (tmp_path / "test" / "cloth" / "b.png").unlink()
    with pytest.raises(ValueError, match=r"data: expected a packshot test/cloth/b.png of what is worn, got none"):
        worn_rows(str(tmp_path))


def street(folder, size=(40, 60)):
    """One street photo with a shirt, as wide as the photo's half, and a bag too small to count."""
    (folder / "photos").mkdir(parents=True)
    (folder / "masks").mkdir()
    (folder / "labels.json").write_text(json.dumps(["null", "skin", "shirt", "bag"]))
    pixels = np.full((60, 40, 3), 120, dtype=np.uint8)
    labels = np.zeros((60, 40), dtype=np.uint8)
    pixels[10:30, 10:30], labels[10:30, 10:30] = (200, 30, 30), 2
    labels[40:44, 4:8], labels[:8] = 3, 1
    Image.fromarray(pixels).save(folder / "photos" / "1.jpg", quality=100, subsampling=0)
    Image.fromarray(labels).resize(size, Image.Resampling.NEAREST).save(folder / "masks" / "1.png")
    return folder


def test_garments_are_cut_out_of_street_photos(tmp_path):
    rows = worn_rows(str(street(tmp_path / "street")))
    assert [(row.kind, row.label) for row in rows] == [("shirt", 2)]
    pairs = load_worn(rows, 60, 40)
    assert (pairs.masks[0] > 127).sum() == 400
    shot = pairs.articles[0]
    red = (shot[0] > 150) & (shot[1] < 100)
    assert 0.3 < red.mean() < 0.7  # as large as it fits, on white
    assert (shot[:, ~red] > 200).mean() > 0.9


def test_a_mask_of_another_size_is_set_aside_by_name(tmp_path):
    pairs = load_worn(worn_rows(str(street(tmp_path / "street", (20, 30)))), 32, 32)
    assert len(pairs) == 0
    assert "expected a mask of 40 × 60 pixels, got (20, 30)" in pairs.quarantine[0].reason


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"person": "a.png"}], "data: expected the article of row 1 of .*, got none"),
        ([{"person": "", "article": "a.png"}], "data: expected the person of row 1 of .*, got none"),
        ([{"person": "a", "article": "b", "size": "M"}], "data: expected the columns person, article, .*, got 'size'"),
        (
            [{"person": "a", "article": "b", "side": "left"}],
            "data: expected train or test as side in row 1 of .*, got 'left'",
        ),
        ([{"person": 3, "article": "b"}], "data: expected a text as person in row 1 of .*, got 3"),
        ([], "data: expected rows in .*, got none"),
    ],
)
def test_tables_that_are_none(rows, message, tmp_path):
    table = tmp_path / "pairs.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match=message):
        worn_rows(str(table))


def test_photos_that_cannot_be_opened_are_set_aside(tmp_path):
    Image.new("L", (9, 7), 40).save(tmp_path / "grey.png")
    Image.new("RGBA", (5, 9), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    (tmp_path / "text.png").write_text("no picture")
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("person", "article"), ("grey.png", "clear.png"), ("text.png", "grey.png"), ("grey.png", "nope.png")]
        )
    pairs = load_worn(worn_rows(str(tmp_path / "pairs.csv")), 16, 16)
    assert len(pairs) == 1
    assert (pairs.articles == 255).all()  # what is transparent is laid on white
    assert [bad.reason.split(":")[0] for bad in pairs.quarantine] == ["photo", "there is no such file"]


def test_a_slot_that_nobody_wears_is_refused_and_nothing_is_left(tmp_path):
    words = "people, slot: expected figures that show the garment, got none of 1 with a bag"
    with pytest.raises(ValueError, match=words):
        write_worn_figures(tmp_path / "none", 1, 1, slot="bag", seed=0, height=16, width=16)
    assert not (tmp_path / "none").exists()
