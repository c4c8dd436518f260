from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from gluonts.torch.model.deepar import DeepAREstimator
from hemline.datasets.entries.data import ForecastData, Metadata
from hemline.datasets.entries.entry import Entry
from hemline.datasets.pictures.joining import join_article_vectors
from hemline.datasets.pictures.source import open_source
from hemline.datasets.pictures.vectors import (
    ArticleVectors,
    join_to_entries,
    read_article_vectors,
)
from hemline.vision.commands.commands import app
from hemline.vision.embed.embedding import PrincipalAxes, embed_catalogue
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.networks import known_backbones
from typer.testing import CliRunner

SMALL = ["--size", "24", "--widths", "4,8", "--epochs", "1", "--mirror", "0", "--crop", "1", "--device", "cpu"]


@pytest.fixture
def bare_shop(shop: Path) -> Path:
    """The shop, with an article that has no usable photo."""
    (shop.parent / "photos" / "7-0.png").write_text("no photo")
    return shop


def test_each_article_gets_a_vector_of_length_one_and_a_flag(bare_shop: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "a" / "new folder" / "vectors.parquet")
    encoder = ArticleEncoder.of_backbone("small-cnn", size=24)
    metadata = embed_catalogue(open_source(str(bare_shop)), out, encoder)
    vectors = read_article_vectors(out)
    length = np.linalg.norm(vectors.vectors, axis=1)
    assert vectors.shown.tolist() == [number != 7 for number in range(60)]
    assert length[vectors.shown] == pytest.approx(1, abs=1e-5)
    assert length[7] == 0
    stored = json.loads(pq.read_schema(out).metadata[b"hemline"])
    assert stored == metadata
    assert stored["encoder"] == vectors.encoder == encoder.name
    assert stored["preprocessing"]["size"] == 24
    assert stored["pooling"] == "mean over the last map, mean over photos"
    assert [Path(address).name for address in stored["quarantined"]] == ["7-0.png"]


def test_a_killed_embedding_leaves_the_file_of_before(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, encoder = tmp_path / "vectors.parquet", ArticleEncoder.of_backbone("small-cnn", size=24)
    out.write_bytes(b"before")

    def killed(table, file):
        file.write(b"PAR1")
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", killed)
        with pytest.raises(RuntimeError, match="killed"):
            embed_catalogue(open_source(str(shop)), str(out), encoder)
    assert out.read_bytes() == b"before"


def test_the_name_of_an_encoder_changes_with_its_weights() -> None:
    names = [ArticleEncoder.of_backbone("small-cnn", size=16, seed=seed).name for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]


def test_axes_are_fitted_on_training_articles_only(shop: Path, tmp_path: Path) -> None:
    run, runner = str(tmp_path / "run"), CliRunner()
    shared = ["--data", str(shop), "--checkpoint", run]
    runner.invoke(app, ["classify", "train", *shared, *SMALL], catch_exceptions=False)
    outs = [str(tmp_path / name) for name in ("whole.parquet", "axes.parquet")]
    for out, more in zip(outs, ([], ["--pca", "3"]), strict=True):
        done = runner.invoke(app, ["embed", *shared, "--out", out, *more], catch_exceptions=False)
        assert "60 articles" in done.output
    whole, axes = map(read_article_vectors, outs)
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    learned = np.isin(whole.item_ids, split["train"])
    assert 0 < learned.sum() < 60
    wanted = PrincipalAxes.fit(whole.vectors[learned], 3).project(whole.vectors)
    assert np.allclose(axes.vectors, wanted, atol=1e-5)
    assert not np.allclose(axes.vectors, PrincipalAxes.fit(whole.vectors, 3).project(whole.vectors), atol=1e-5)


def test_principal_axes_are_orthonormal_and_keep_the_variance() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6)) * [5, 3, 1, 1, 1, 1]
    axes = PrincipalAxes.fit(vectors, 6)
    assert np.allclose(axes.axes @ axes.axes.T, np.eye(6))
    assert axes.variance.sum() == pytest.approx(1)
    assert axes.project(vectors).var(axis=0).sum() == pytest.approx(vectors.var(axis=0).sum())
    with pytest.raises(ValueError, match=r"pca: expected 1…6 axes of 50 vectors, got 7"):
        PrincipalAxes.fit(vectors, 7)


VECTORS = ArticleVectors(("a", "b"), np.array([[0.6, 0.8], [0, 0]], np.float32), np.array([True, False]), "net@1")


def data(items: tuple[str, ...]) -> ForecastData:
    metadata = Metadata("shop", "W-MON", 2, items)
    entry = {"start": pd.Period("2020", "Y"), "target": np.zeros((len(items), 5))}
    return ForecastData(metadata, [entry], [dict(entry)])


def test_vectors_are_joined_by_item_id_with_a_flag_where_there_is_no_picture() -> None:
    joined = join_article_vectors(data(("new", "b", "a")), VECTORS)
    for entry in (*joined.train, *joined.test):
        assert np.allclose(entry["feat_static_real"], [[0, 0, 0], [0, 0, 0], [0.6, 0.8, 1]])
    ahead = join_article_vectors(
        replace(data(("b", "a")), ahead=Entry(pd.Period("2020", "Y"), np.zeros((2, 5)))), VECTORS
    ).latest
    assert np.allclose(ahead["feat_static_real"], [[0, 0, 0], [0.6, 0.8, 1]])
    again = join_article_vectors(joined, VECTORS).train[0]["feat_static_real"]
    assert again.shape == (3, 6)


def test_univariate_entries_get_their_own_vector() -> None:
    entries = [{"item_id": "a", "feat_static_real": [7.0]}, {"item_id": "zz"}]
    first, second = join_to_entries(entries, VECTORS)
    assert np.allclose(first["feat_static_real"], [7, 0.6, 0.8, 1])
    assert second["feat_static_real"].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="got none in entry 0"):
        join_to_entries([{}], VECTORS)


@pytest.mark.filterwarnings("ignore")
def test_an_article_without_a_past_is_forecast_at_the_level_that_is_said(tmp_path: Path) -> None:
    start = pd.Period("2025-01-06", "W-MON")
    quiet = {"max_epochs": 1, "logger": False, "enable_progress_bar": False, "default_root_dir": tmp_path}
    known = join_to_entries([{"item_id": "a", "start": start, "target": np.full(40, 25.0)}], VECTORS)
    new = join_to_entries([{"item_id": "b", "start": start, "target": []}], VECTORS)
    medians = []
    for level in ({}, {"default_scale": 25.0}):
        estimator = DeepAREstimator(
            "W-MON", 4, num_feat_static_real=3, lags_seq=[1], num_batches_per_epoch=2, trainer_kwargs=quiet, **level
        )
        medians.append(float(np.median(next(iter(estimator.train(known).predict(new))).samples)))
    assert abs(medians[0]) < 1e-6
    assert 0.5 < medians[1] < 250


def test_vectors_that_fit_no_item_and_broken_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors: expected some of the items"):
        join_article_vectors(data(("x", "b")), VECTORS)
    with pytest.raises(ValueError, match="got others for item 'a'"):
        ArticleVectors(("a",), np.array([[np.nan]]), np.array([True]))
    with pytest.raises(ValueError, match="'a' twice"):
        ArticleVectors(("a", "a"), np.zeros((2, 1)), np.array([True, True]))


def test_an_encoder_must_be_named_once(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["embed", "--data", str(shop), "--out", "x.parquet"]
    both = ["--checkpoint", str(shop.parent), "--backbone", "small-cnn"]
    with pytest.raises(ValueError, match=r"expected one of the two, got '.*' and 'small-cnn'"):
        CliRunner().invoke(app, [*words, *both], catch_exceptions=False)
    monkeypatch.setattr(known_backbones, "installed", lambda name: False)
    with pytest.raises(ValueError, match="expected one of the two, since no pretrained weights are installed"):
        CliRunner().invoke(app, words, catch_exceptions=False)
