"""Data, checkpoints and vectors at S3 addresses; the server runs on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("s3fs", reason="S3 addresses need the extra 's3'")
pytest.importorskip("moto.server", reason="a local S3 server needs moto, flask and flask-cors")

import fsspec
from hemline.datasets.pictures.source import open_source
from hemline.datasets.pictures.vectors import read_article_vectors
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier, predict_photos
from hemline.vision.classify.options import TrainConfig
from hemline.vision.embed.embedding import embed_catalogue
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.networks.product_network import NetworkConfig
from moto.server import ThreadedMotoServer


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fsspec.filesystem("s3").clear_instance_cache()
    files = fsspec.filesystem("s3")
    files.mkdir("shop")
    yield files
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()


def test_a_run_reads_its_data_from_s3_and_lives_there(shop: Path, bucket) -> None:
    (shop.parent / "photos" / "3-0.png").unlink()
    bucket.put(str(shop.parent), "shop/data", recursive=True)
    source = open_source("s3://shop/data/shop.toml")
    network = NetworkConfig(size=24, widths=(4, 8))
    training = TrainConfig(epochs=1, batch_size=16, device="cpu", augment=None)
    train_classifier(source, "s3://shop/runs/one", network=network, training=training)
    scores = evaluate_classifier("s3://shop/runs/one", source)
    assert scores["test"]["shape"]["articles"] > 0
    report = json.loads(bucket.cat_file("shop/runs/one/report.json"))
    assert [bad["address"] for bad in report["quarantine"]] == ["s3://shop/data/photos/3-0.png"]
    assert not RunFolder("s3://shop/runs/one").has("last.ckpt")
    answers, quarantine = predict_photos("s3://shop/runs/one", ["s3://shop/data/photos/0-0.png", "s3://shop/none.png"])
    assert answers["photo"].unique().tolist() == ["s3://shop/data/photos/0-0.png"]
    assert [bad.reason for bad in quarantine] == ["there is no such file"]
    embed_catalogue(source, "s3://shop/vectors.parquet", ArticleEncoder.of_run("s3://shop/runs/one"))
    assert read_article_vectors("s3://shop/vectors.parquet").shown.sum() == 59
