"""Garments with a chosen colour, texture and shape: masks, terms of the loss, the network and the commands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.source import open_source
from hemline.evaluation.scores.designs import (
    colour_errors,
    contrasts,
    mask_overlaps,
    pattern_similarities,
)
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.design.designer import TrainedDesigner, parsed_colour, train_designer
from hemline.vision.generate.design.masks import are_packshots, article_masks, mean_colours
from hemline.vision.generate.design.network import DesignForm
from hemline.vision.generate.design.shapes import project_textures, shape_of, texture_of_photo
from hemline.vision.generate.design.terms import (
    colour_term,
    contrast_term,
    ground_term,
    matting_cost,
    pattern_similarity,
    same_colour_term,
    structure_term,
)
from hemline.vision.generate.design.training import DesignBatches, DesignConfig, DesignTraining, factorial
from PIL import Image

FORM = DesignForm(size=16, texture=12, style=8, mapping=2, width=4, most=8)
SHORT = DesignConfig(steps=4, log_steps=2, groups=1, device="cpu")


def laplacian(guide: np.ndarray, smoothness: float) -> np.ndarray:
    """The matting Laplacian as a matrix, window by window (A. Levin et al. 2008, equation 13)."""
    high, wide = guide.shape[1:]
    matrix, number = np.zeros((high * wide, high * wide)), np.arange(high * wide).reshape(high, wide)
    for down in range(1, high - 1):
        for across in range(1, wide - 1):
            window = slice(down - 1, down + 2), slice(across - 1, across + 2)
            colours = guide[(slice(None), *window)].reshape(3, -1).T
            apart = colours - colours.mean(axis=0)
            inverse = np.linalg.inv(apart.T @ apart / 9 + smoothness / 9 * np.eye(3))
            rows = number[window].ravel()
            matrix[np.ix_(rows, rows)] += np.eye(9) - (1 + apart @ inverse @ apart.T) / 9
    return matrix


def test_the_matting_cost_is_that_of_the_matrix():
    rng = np.random.default_rng(0)
    values, guides = rng.random((2, 2, 3, 7, 8))
    costs = []
    for value, guide in zip(values, guides, strict=True):
        flat = value.reshape(3, -1)
        costs.append(np.trace(flat @ laplacian(guide, 1e-4) @ flat.T) / 56)
    found = float(matting_cost(torch.from_numpy(values), torch.from_numpy(guides)))
    assert found == pytest.approx(np.mean(costs), rel=1e-9)


def test_a_recoloured_image_has_the_same_structure_and_another_one_has_not():
    torch.manual_seed(0)
    first, other = torch.rand(2, 1, 3, 12, 12, dtype=torch.float64)
    recoloured = 0.4 * first[:, [2, 0, 1]] - 0.2
    assert float(structure_term(first, recoloured)) < 1e-2 * float(structure_term(first, other))


def test_colour_terms_by_hand():
    masks = torch.zeros(1, 1, 4, 4)
    masks[:, :, :2] = 1
    images = torch.ones(1, 3, 4, 4)
    images[:, 0, :2] = 0.5
    assert mean_colours(images, masks).tolist() == [[0.5, 1.0, 1.0]]
    assert float(colour_term(images, masks, torch.tensor([[0.0, 1.0, 1.0]]))) == pytest.approx(0.25)
    assert float(same_colour_term(images, torch.zeros_like(images), masks)) == pytest.approx(2.25)
    assert float(ground_term(images, masks)) == 0
    assert float(ground_term(-images, masks)) == pytest.approx(1.0)  # 2 away from white in half of the pixels


def test_similarity_in_the_loss_is_that_of_the_score():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 4, 3, 9, 9))
    masks = (rng.random((4, 9, 9)) > 0.4).astype(float)
    told = pattern_similarity(*(torch.from_numpy(each) for each in (first, second)), torch.from_numpy(masks[:, None]))
    np.testing.assert_allclose(told.numpy(), pattern_similarities(first, second, masks), atol=1e-6)
    np.testing.assert_allclose(pattern_similarities(first, 0.3 * first + 0.1, masks), 1)
    np.testing.assert_allclose(pattern_similarities(first, -first, masks), -1)
    assert pattern_similarities(first, np.full_like(first, 0.5), masks).tolist() == [0] * 4


def test_the_contrast_term_is_0_at_the_contrast_of_photos_and_knows_no_colours():
    rng = np.random.default_rng(2)
    photos = torch.from_numpy(rng.normal(size=(5, 3, 8, 8))) * 0.3
    own = torch.from_numpy((rng.random((5, 1, 8, 8)) < 0.7).astype(float))
    assert float(contrast_term(photos + 0.4, own, photos, own)) == pytest.approx(0, abs=1e-12)
    # Twice the contrast is a logarithm of 2 away, up to the ridge.
    assert float(contrast_term(2 * photos, own, photos, own)) == pytest.approx(np.log(2) ** 2, rel=1e-2)
    ground = photos + (1 - own) * 5
    assert float(contrast_term(ground, own, photos, own)) == pytest.approx(0, abs=1e-12)


def test_mirror_images_are_learnt_from_with_their_masks():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    batches = DesignBatches(images, images[:, :1], 4, 2, seed=0)
    seen = set()
    for photos, masks, filled, asked in batches:
        assert (photos[:, :1] == masks).all()
        assert filled.shape == (2, 2, 1, 4, 4)
        assert (asked[0][:, :1] == asked[1]).all()
        seen |= {tuple(photo[0, 0].tolist()) for photo in photos}
    assert seen == {tuple(row) for photo in images for row in (photo[0, 0].tolist(), photo[0, 0].flip(0).tolist())}
    plain = [photos for photos, *_ in DesignBatches(images, images[:, :1], 4, 2, seed=0, mirror=False)]
    assert {tuple(photo[0, 0].tolist()) for photos in plain for photo in photos} < seen


def test_what_the_critic_sees_is_moved_with_its_mask_onto_white_and_gradients_pass():
    config = replace(SHORT, shift=0.25)
    training = DesignTraining(FORM.build(), FORM.critic(), config, torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    images, masks = torch.ones(6, 3, 8, 8), torch.zeros(6, 1, 8, 8)
    images[:, :, 2:5, 3:6], masks[:, :, 2:5, 3:6] = -0.5, 1
    images.requires_grad_()
    torch.manual_seed(0)
    seen, told = training._seen(images, masks)
    assert ((seen == -0.5).all(1, keepdim=True) == (told == 1)).all()
    assert ((seen == 1).all(1, keepdim=True) == (told == 0)).all()
    assert (told.sum((1, 2, 3)) == 9).all()
    assert len({tuple(each.flatten().tolist()) for each in told}) > 1
    seen.sum().backward()
    assert float(images.grad[:, :, 2:5, 3:6].min()) == 1


def test_scores_of_designs_by_hand():
    image = np.zeros((1, 3, 2, 2))
    image[0, :, 0] = 1
    masks = np.ones((1, 2, 2))
    assert contrasts(image, masks).tolist() == [0.5]
    assert colour_errors(image, masks, np.array([[0.5, 0.5, 0.0]])).tolist() == [0.5]
    first, second = np.array([[[True, True], [False, False]]]), np.array([[[True, False], [True, False]]])
    assert mask_overlaps(first, second).tolist() == [pytest.approx(1 / 3)]
    with pytest.raises(ValueError, match="masks: expected pixels in each, got none in mask 0"):
        contrasts(image, 0 * masks)
    with pytest.raises(ValueError, match=r"images, masks: expected \[n, 3, S, S\] and \[n, S, S\]"):
        contrasts(image, masks[0])


def packshot(colour: tuple[int, int, int], size: int = 32) -> np.ndarray:
    pixels = np.full((3, size, size), 255, dtype=np.uint8)
    pixels[:, 6:26, 8:24] = np.array(colour)[:, None, None]
    return pixels


def test_masks_are_whole_and_other_grounds_are_no_packshots():
    plain, holed, scene = packshot((30, 60, 90)), packshot((30, 60, 90)), packshot((30, 60, 90))
    holed[:, 12:15, 12:15] = 255  # a white button
    holed[:, 1:3, 1:3] = 0  # a speck
    scene[:, :6] = 120
    scene[:, :, :8] = 90
    pixels = np.stack([plain, holed, scene])
    masks = article_masks(pixels)
    assert masks[0].sum() == masks[1].sum() == 20 * 16
    assert are_packshots(pixels, masks).tolist() == [True, True, False]
    assert not are_packshots(np.full((1, 3, 8, 8), 255, np.uint8), np.ones((1, 8, 8), bool)).any()


def test_all_combinations_of_two_textures_two_colours_and_two_masks():
    textures, colours = torch.arange(4.0).reshape(2, 2, 1), 10 * torch.arange(12.0).reshape(2, 2, 3)
    masks = 100 * torch.arange(4.0).reshape(2, 2, 1, 1, 1)
    made = factorial(textures, colours, masks)
    told = [(int(t), int(c[0]), int(m)) for t, c, m in zip(*made, strict=True)]
    assert told[:8] == [(t, c, m) for t in (0, 1) for c in (0, 30) for m in (0, 100)]
    assert told[8:] == [(t, c, m) for t in (2, 3) for c in (60, 90) for m in (200, 300)]


@pytest.mark.parametrize("composed", [True, False])
def test_shapes_gradients_and_conditions_that_matter(composed):
    torch.manual_seed(0)
    form = replace(FORM, composed=composed)
    designer, critic = form.build(), form.critic()
    textures, colours = torch.randn(4, 12), torch.rand(4, 3) - 0.5
    masks = torch.zeros(4, 1, 16, 16)
    masks[:, :, 3:13, 4:12] = 1
    images = designer(textures, colours, masks)
    assert images.shape == (4, 3, 16, 16)
    assert images.abs().max() <= 1
    logits, told = critic(images, masks)
    assert logits.shape == (4,)
    assert told.shape == (4, 3)
    (logits.square().sum() + told.square().sum()).backward()
    for part in (designer, critic):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
    with torch.no_grad():
        alone = torch.cat([designer(*(part[i : i + 1] for part in (textures, colours, masks))) for i in range(4)])
        torch.testing.assert_close(alone, images.detach(), atol=1e-4, rtol=1e-4)
        for number, other in enumerate((textures.flip(0), -colours, masks.roll(3, dims=-1))):
            given = [textures, colours, masks]
            given[number] = other
            assert (designer(*given) - images).abs().max() > 1e-3


def test_a_composed_image_has_the_colour_the_mask_and_the_pattern_by_construction():
    torch.manual_seed(0)
    designer = FORM.build()
    textures = torch.randn(6, 12)
    masks = torch.zeros(6, 1, 16, 16)
    masks[:, :, 3:13, 4:12] = 1
    first, second = (designer(textures, torch.full((6, 3), level), masks).detach() for level in (-0.2, 0.3))
    # Pixels that are cut off at black or white move the mean a little.
    torch.testing.assert_close(mean_colours(first, masks), torch.full((6, 3), -0.2), atol=1e-3, rtol=0)
    assert ((first == 1) | (masks == 1)).all()
    assert (pattern_similarity(first, second, masks) > 0.95).all()


@pytest.fixture
def packshots(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(30):
        folder = tmp_path / "shop" / ("train" if number < 20 else "test") / ("dress" if number % 2 else "coat")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = packshot(tuple(rng.integers(20, 220, 3)))
        inside = pixels[:, 6:26, 8:24].astype(int) + rng.integers(-30, 30, (20, 16))[None]
        pixels[:, 6:26, 8:24] = inside.clip(0, 240)
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{number}.png")
    return tmp_path / "shop"


def test_a_killed_training_goes_on_to_the_same_losses_and_the_same_sheet(packshots, tmp_path, monkeypatch):
    source = open_source(str(packshots))
    train_designer(source, str(tmp_path / "whole"), form=FORM, training=SHORT)
    step = DesignTraining.training_step

    def killed(self, batch, index):
        if self.current_epoch == 1 and index == 1:
            raise RuntimeError("killed")
        step(self, batch, index)

    monkeypatch.setattr(DesignTraining, "training_step", killed)
    with pytest.raises(RuntimeError, match="killed"):
        train_designer(source, str(tmp_path / "broken"), form=FORM, training=SHORT)
    monkeypatch.setattr(DesignTraining, "training_step", step)
    train_designer(source, str(tmp_path / "broken"), form=FORM, training=SHORT, resume=True)
    whole, broken = (RunFolder(str(tmp_path / name)) for name in ("whole", "broken"))
    rows = [[{**row, "seconds": 0} for row in each.read_json("report.json")["history"]] for each in (whole, broken)]
    assert rows[0] == rows[1]
    for name in ("controls.png", "designer.safetensors"):
        assert whole.read_bytes(name) == broken.read_bytes(name)
    read, made = TrainedDesigner.load(whole), TrainedDesigner.load(broken)
    asked = np.array([[0.8, 0.1, 0.1]]), read.masks[:1, 0].numpy() / 255
    np.testing.assert_array_equal(read.draw(read.textures([3]), *asked), made.draw(made.textures([3]), *asked))


def test_a_texture_is_found_that_draws_the_photo_better_than_a_random_one(packshots, tmp_path):
    trained = train_designer(open_source(str(packshots)), str(tmp_path / "run"), form=FORM, training=SHORT)
    photo = next((packshots / "test" / "dress").glob("*.png"))
    shape = shape_of(str(photo), 16)
    asked = np.array([[0.5, 0.4, 0.3]]), shape[None]
    seen = trained.draw(trained.textures([77]), *asked)[0] / 255
    drawn = Image.fromarray((seen * 255).astype(np.uint8).transpose(1, 2, 0)).resize((32, 32), Image.Resampling.NEAREST)
    drawn.save(tmp_path / "drawn.png")
    found = texture_of_photo(trained, str(tmp_path / "drawn.png"), steps=60)
    again = trained.draw(found, *asked)[0] / 255
    others = [trained.draw(trained.textures([seed]), *asked)[0] / 255 for seed in range(8)]
    missed = [float(np.square(each - seen).mean()) for each in (again, *others)]
    assert missed[0] < min(missed[1:])


def test_the_texture_of_a_photo_is_the_same_alone_and_among_others(packshots, tmp_path):
    trained = train_designer(open_source(str(packshots)), str(tmp_path / "run"), form=FORM, training=SHORT)
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    masks = trained.masks[:3, 0].float() / 255
    together = project_textures(trained, images, masks, steps=5)
    alone = torch.cat([project_textures(trained, images[i : i + 1], masks[i : i + 1], steps=5) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-3)


def test_a_walk_through_the_commands(packshots, tmp_path, capsys):
    if not cli.app.registered_groups:
        cli.mount()

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        assert cli.run(["vision", "design", *map(str, words)]) == code
        told = capsys.readouterr()
        assert code == 0 or len(told.err.splitlines()) == 1
        return told.err if code else told.out

    run_at, photo = tmp_path / "run", next((packshots / "test" / "coat").glob("*.png"))
    run("train", "--data", packshots, "--checkpoint", run_at, "--size", 16, "--steps", 2, "--groups", 1)
    drawn = ("draw", "--checkpoint", run_at, "--out", tmp_path / "a.png")
    run(*drawn, "--colour", "#aa2233", "--colour", "00ff00", "--mask", photo, "--texture-seed", 3)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size[0] > 1.5 * image.size[1]
    designs = (
        "draw",
        "--checkpoint",
        run_at,
        "--out",
        tmp_path / "designs",
        "--colour",
        "#aa2233",
        "--colour",
        "00ff00",
    )
    run(*designs, "--texture-seed", 3)
    drawn_for = open_source(str(tmp_path / "designs" / "catalogue.toml")).catalogue.articles[1].labels
    assert drawn_for == {"colour": ("#00ff00",), "mask": ("seen",), "texture": ("seed 3",)}
    run("sheet", "--checkpoint", run_at, "--out", tmp_path / "sheet.png", "--textures", 2)
    options = ("--features", "small-cnn", "--count", 8, "--out", tmp_path / "t.csv")
    run("score", "--data", packshots, "--checkpoint", run_at, *options)
    table = pd.read_csv(tmp_path / "t.csv").set_index("images")
    assert list(table.index) == [
        "designer",
        "untrained",
        "fill",
        "fill and noise",
        "cut and recoloured",
        "held-out photos",
    ]
    assert table.loc["fill", "colour"] < 0.01 < table.loc["held-out photos", "contrast"]
    assert table.loc["fill and noise", "other"] < 0.5
    assert (table["overlap"].dropna() > 0.8).all()
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    Image.new("RGB", (20, 20), "white").save(tmp_path / "empty.png")
    cases = {
        "colour: expected six hexadecimal digits such as '#aa2233', got 'red'": (*drawn, "--colour", "red"),
        "mask: ": (*drawn, "--colour", "#aa2233", "--mask", bad),
        "expected an article on a plain ground": (*drawn, "--colour", "#aa2233", "--mask", tmp_path / "empty.png"),
        "size: expected 4, 5, 6 or 7, doubled": (
            "train",
            "--data",
            packshots,
            "--checkpoint",
            tmp_path / "b",
            "--size",
            30,
        ),
        "out: expected a .png file": ("sheet", "--checkpoint", run_at, "--out", tmp_path / "sheet.txt"),
    }
    for message, words in cases.items():
        assert message in run(*words, code=1)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("text", "colour"), [("#ff0000", [1, 0, 0]), ("0000FF", [0, 0, 1])])
def test_colours_are_read(text, colour):
    assert parsed_colour(text).tolist() == colour


@pytest.mark.parametrize("text", ["red", "#12345", "#1234567", "", "#gggggg"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match="colour: expected six hexadecimal digits"):
        parsed_colour(text)


def test_masks_of_another_size_are_refused(packshots, tmp_path):
    trained = train_designer(open_source(str(packshots)), str(tmp_path / "run"), form=FORM, training=SHORT)
    with pytest.raises(ValueError, match=r"masks: expected masks of 16 × 16 pixels, got \[8, 8\]"):
        trained.draw(trained.textures([0]), np.zeros((1, 3)), np.ones((1, 8, 8)))
    with pytest.raises(ValueError, match="masks: expected a garment in each, got none in mask 0"):
        trained.draw(trained.textures([0]), np.zeros((1, 3)), np.zeros((1, 16, 16)))


def test_photos_that_are_no_packshots_are_refused(tmp_path):
    folder = tmp_path / "street" / "train" / "dress"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.effect_noise((32, 32), 80).convert("RGB").save(folder / f"{number}.png")
    with pytest.raises(ValueError, match="data: expected photos of articles on a white ground, got 0 of 3"):
        train_designer(open_source(str(tmp_path / "street")), str(tmp_path / "run"), form=FORM, training=SHORT)
    assert [path.name for path in (tmp_path / "run").rglob("*")] in ([], [".lock"])
