"""Photos of garments in other colours: what changes, what stays, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hemline import cli
from hemline.datasets.pictures.source import open_source
from hemline.evaluation.scores.designs import colour_errors, pattern_similarities, structural_similarities
from hemline.vision.generate.design.recolour import Recolouring, recolour_photo, recoloured
from PIL import Image

COLOUR = np.array([0.7, 0.2, 0.3])


@pytest.fixture
def shot():
    """A blue garment with folds on white, ``[1, 3, 32, 24]``, and its mask."""
    folds = 0.1 * np.sin(np.arange(20) / 2)[:, None] + 0.05 * np.cos(np.arange(16))[None]
    image, mask = np.ones((1, 3, 32, 24)), np.zeros((1, 32, 24))
    image[0, :, 6:26, 4:20] = np.array([0.2, 0.3, 0.6])[:, None, None] + folds
    mask[0, 6:26, 4:20] = 1
    return image, mask


def as_file(image, path):
    levels = (image * 255).round().astype(np.uint8)
    Image.fromarray(levels.transpose(1, 2, 0) if levels.ndim == 3 else levels).save(path)
    return str(path)


@pytest.mark.parametrize("settings", [Recolouring(), Recolouring(0, 0), Recolouring(1, 1)])
def test_the_mean_is_the_colour_the_folds_stay_and_the_ground_is_untouched(shot, settings):
    image, mask = shot
    made = recoloured(image, mask, COLOUR[None], settings)
    assert colour_errors(made, mask, COLOUR[None])[0] < 1e-3
    assert pattern_similarities(image, made, mask)[0] > 0.97
    assert (made[:, :, mask[0] == 0] == 1).all()
    assert made.min() >= 0
    assert made.max() <= 1


def test_a_garment_in_its_own_colour_is_the_photo_and_there_and_back_nearly_is(shot):
    image, mask = shot
    own = image[0][:, mask[0] > 0].mean(axis=1)
    grey = Recolouring(tint=0, prints=1)
    np.testing.assert_allclose(recoloured(image, mask, own[None], grey), image, atol=1e-9)
    there = recoloured(image, mask, COLOUR[None], grey)
    np.testing.assert_allclose(recoloured(there, mask, own[None], grey), image, atol=1e-3)


def test_where_a_pattern_is_cut_off_the_mean_is_right_all_the_same(shot):
    image, mask = shot
    for colour in ([0.97, 0.97, 0.95], [0.04, 0.03, 0.05]):
        asked = np.array([colour])
        made = recoloured(image, mask, asked)
        assert colour_errors(made, mask, asked)[0] < 1e-3
        assert structural_similarities(made, image, mask)[0] < 1


def test_a_print_keeps_its_own_colour_where_it_is_asked_to(shot):
    image, mask = shot
    image[0, :, 12:16, 8:12] += np.array([0.3, 0.0, -0.3])[:, None, None]  # a reddish print
    grey = np.array([[0.5, 0.5, 0.5]])
    told = [recoloured(image, mask, grey, Recolouring(prints=share))[0, :, 13, 10] for share in (0.0, 0.5, 1.0)]
    redder = [float(colour[0] - colour[2]) for colour in told]
    assert redder[0] == pytest.approx(0, abs=1e-9)
    assert redder[0] < redder[1] < redder[2]


def test_soft_edges_are_between_garment_and_ground(shot):
    image, mask = shot
    mask[0, 6, 4:20] = 0.5
    made = recoloured(image, mask, np.array([[0.0, 0.3, 0.0]]))
    whole = recoloured(image, np.ceil(mask), np.array([[0.0, 0.3, 0.0]]))
    between = (made[0, 2, 6, 4:20] - whole[0, 2, 6, 4:20]) / (image[0, 2, 6, 4:20] - whole[0, 2, 6, 4:20])
    np.testing.assert_allclose(between, 0.5, atol=0.1)


def test_what_does_not_fit_is_refused(shot):
    image, mask = shot
    cases = {
        r"images, masks: expected \[n, 3, H, W\] and \[n, H, W\]": (image, mask[:, 1:], COLOUR[None]),
        r"colours: expected \[1, 3\], got \[3\]": (image, mask, COLOUR),
        "masks: expected a garment in each, got none in mask 0": (image, 0 * mask, COLOUR[None]),
    }
    for message, given in cases.items():
        with pytest.raises(ValueError, match=message):
            recoloured(*given)
    with pytest.raises(ValueError, match="tint: "):
        Recolouring(tint=1.5)


def test_a_photo_without_a_mask_is_recoloured_where_it_differs_from_its_ground(shot, tmp_path):
    image, mask = shot
    photo = as_file(image[0], tmp_path / "photo.png")
    made = recolour_photo(photo, np.stack([COLOUR, 1 - COLOUR])) / 255
    assert made.shape == (2, 3, 32, 24)
    inner = np.zeros_like(mask)
    inner[0, 8:24, 6:18] = 1
    assert colour_errors(made[:1], inner, COLOUR[None])[0] < 0.05
    assert (made[:, :, mask[0] == 0] == 1).all()
    given = recolour_photo(photo, COLOUR[None], as_file(mask[0], tmp_path / "mask.png")) / 255
    assert colour_errors(given, mask, COLOUR[None])[0] < 0.004


def test_the_command(shot, tmp_path, capsys):
    image, mask = shot
    if not cli.app.registered_groups:
        cli.mount()
    photo, cut = as_file(image[0], tmp_path / "photo.png"), as_file(mask[0], tmp_path / "mask.png")
    small = as_file(mask[0, 1:], tmp_path / "small.png")
    Image.new("RGB", (24, 32), "white").save(tmp_path / "empty.png")
    drawn = ["vision", "design", "recolour", photo, "--out", str(tmp_path / "new.png")]
    assert cli.run([*drawn, "--colour", "#aa2233", "--mask", cut]) == 0
    with Image.open(tmp_path / "new.png") as made:
        assert made.size == (24, 32)
    assert cli.run([*drawn, "--colour", "#aa2233", "--colour", "00ff00"]) == 0
    with Image.open(tmp_path / "new.png") as made:
        assert made.size == (24 + 2 + 24, 32)
    capsys.readouterr()
    cases = {
        "mask: expected 24 × 32 pixels like the photo, got 24 × 31": ["--mask", small],
        "mask: expected a garment on a part of it, got one on 100 %": ["--mask", str(tmp_path / "empty.png")],
        "tint: ": ["--tint", "2"],
        "prints: ": ["--prints", "nan"],
    }
    for message, words in cases.items():
        assert cli.run([*drawn, "--colour", "#aa2233", *words]) == 1
        told = capsys.readouterr().err
        assert message in told
        assert len(told.splitlines()) == 1
    assert (
        cli.run(["vision", "design", "recolour", str(tmp_path / "empty.png"), *drawn[4:], "--colour", "#aa2233"]) == 1
    )
    assert "photo: expected a garment on a part of it" in capsys.readouterr().err


def test_colours_in_a_folder_are_a_catalogue_with_what_was_asked_for(shot, tmp_path, capsys):
    image, _ = shot
    if not cli.app.registered_groups:
        cli.mount()
    photo = as_file(image[0], tmp_path / "dress.png")
    words = ["vision", "design", "recolour", photo, "--out", str(tmp_path / "designs"), "--colour", "#AA2233"]
    assert cli.run([*words, "--colour", "00ff00"]) == 0
    catalogue = open_source(str(tmp_path / "designs" / "catalogue.toml"))
    assert catalogue.catalogue.item_ids == ("dress-aa2233", "dress-00ff00")
    told = catalogue.catalogue.article("dress-aa2233").labels
    assert told["colour"] == ("#aa2233",)
    assert told["photo"] == (photo,)
    assert catalogue.load(32).pixels.shape == (2, 3, 32, 32)
    capsys.readouterr()
    assert cli.run([*words, "--colour", "aa2233"]) == 1
    assert "expected" in capsys.readouterr().err
    twice = [*words[:5], str(tmp_path / "other"), "--colour", "#AA2233", "--colour", "aa2233"]
    assert cli.run(twice) == 1
    assert "expected each once, got 'dress-aa2233' twice" in capsys.readouterr().err
