"""``hemline vision gan``: from photos to a sheet, a catalogue and a table of scores."""

from __future__ import annotations

import pandas as pd
import pytest
from hemline import cli
from hemline.datasets.pictures.source import open_source
from hemline.vision.generate.recipes import RECIPES
from PIL import Image


@pytest.fixture
def run(capsys):
    if not cli.app.registered_groups:
        cli.mount()

    def called(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        assert cli.run(["vision", *map(str, words)]) == code
        told = capsys.readouterr()
        assert code == 0 or len(told.err.splitlines()) == 1, told.err
        return told.err if code else told.out

    return called


TRAIN = ("--size", 24, "--width", 4, "--steps", 4, "--batch-size", 8, "--precision", "32-true")


def test_recipes_are_listed_and_described(run):
    listed = run("gan", "list")
    assert all(name in listed for name in RECIPES)
    told = run("gan", "describe", "stylegan2", "--size", 32)
    assert "generator: " in told
    assert "arXiv 1912.04958" in told


def test_a_walk_from_photos_to_images_a_catalogue_and_scores(run, shop, tmp_path):
    made, classified = tmp_path / "gan", tmp_path / "tasks"
    run("gan", "train", "--data", shop, "--checkpoint", made, "--task", "shape", *TRAIN)
    run("gan", "sample", "--checkpoint", made, "--out", tmp_path / "sheet.png", "--count", 12, "--label", "round")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > sheet.size[1] > 24
    run("gan", "sample", "--checkpoint", made, "--out", tmp_path / "new", "--count", 7, "--seed", 3)
    read = open_source(str(tmp_path / "new" / "catalogue.toml"))
    assert len(read.catalogue) == 7
    assert {label for article in read.catalogue.articles for label in article.labels["shape"]} <= {"round", "square"}
    assert len(read.load(24)) == 7
    options = ("--checkpoint", classified, "--task", "shape", "--size", 24, "--widths", "4,8", "--epochs", 2)
    run("classify", "train", "--data", shop, *options)
    said = run(
        "gan", "score", "--data", shop, "--checkpoint", made, "--features", classified, "--out", tmp_path / "t.csv",
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "t.csv").set_index("images")
    assert list(table.index[:2]) == ["generator", "held-out photos"]
    assert {"noisy photos", "principal components by class", "pixels alone"} < set(table.index)
    assert table["features"].str.startswith("small-cnn:shape@").all()
    assert table.loc["held-out photos", "frechet"] < table.loc["generator", "frechet"]
    assert table["accuracy"].between(0, 1).all()
    assert "held-out photos" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--recipe", "gun"), "recipe: expected one of gan, dcgan"),
        (("train", "--recipe", "gan", "--width", 8), "width: expected none for dense networks"),
        (("train", "--augment", "much"), "augment: expected one of"),
        (("train", "--precision", "8"), "precision"),
    ],
)
def test_bad_options_are_one_line_before_photos_are_opened(run, words, message, tmp_path):
    said = run("gan", *words, "--data", tmp_path / "none", "--checkpoint", tmp_path / "run", code=1)
    assert message in said
    assert not (tmp_path / "run").exists()


def test_other_classes_and_taken_folders_are_refused(run, shop, tmp_path):
    made = tmp_path / "gan"
    run("gan", "train", "--data", shop, "--checkpoint", made, "--task", "shape", *TRAIN)
    run("gan", "sample", "--checkpoint", made, "--out", tmp_path / "taken", "--count", 2)
    cases = {
        "label: expected one of square, round, got 'red'": ("--out", tmp_path / "a.png", "--label", "red"),
        "truncation: expected a number above 0": ("--out", tmp_path / "a.png", "--truncation", "-1"),
        "out: expected a folder without a catalogue": ("--out", tmp_path / "taken"),
    }
    for message, words in cases.items():
        assert message in run("gan", "sample", *words, "--checkpoint", made, code=1)
    assert not (tmp_path / "a.png").exists()
    said = run("gan", "train", "--data", shop, "--checkpoint", made, "--task", "shape", *TRAIN, code=1)
    assert "checkpoint: expected an empty folder, or --resume" in said
