"""Titles that are read beside photos: hashed words, and networks of words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify.classifier import Classifier
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier, predict_photos
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from hemline.vision.networks.small_cnn import SmallCNN
from hemline.vision.titles.hashed_terms import hashed_counts, inverse_frequency, terms, weighted
from hemline.vision.titles.text_encoder import TextEncoder
from hemline.vision.titles.title_words import TitleWords
from sklearn.feature_extraction.text import TfidfVectorizer

from .conftest import write_shop

TITLES = ["Blue round shirt", "blue jeans, blue belt", "Red shirt", "", "grüne Hose ÄRMEL"]
FORM = NetworkConfig(size=16, widths=(4, 8))
TRAINING = TrainConfig(epochs=6, lr=3e-2, batch_size=16, augment=None, device="cpu")


def test_hashed_terms_weigh_as_tf_idf_of_scikit_learn_where_no_two_share_a_bucket() -> None:
    counts = hashed_counts(TITLES, 2**20)
    found = weighted(counts, inverse_frequency(counts))
    known = TfidfVectorizer(tokenizer=terms, lowercase=False, token_pattern=None, sublinear_tf=True, smooth_idf=True)
    wanted = known.fit_transform(TITLES)
    np.testing.assert_allclose((found @ found.T).toarray(), (wanted @ wanted.T).toarray(), atol=1e-6)
    assert found[3].nnz == 0


def test_hashing_keeps_inner_products_on_average() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(300)]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(400)]
    wide, narrow = (weighted(hashed_counts(texts, size), np.ones(size, dtype=np.float32)) for size in (2**22, 512))
    apart = (narrow @ narrow.T - wide @ wide.T).toarray()[np.triu_indices(400, 1)]
    assert abs(apart.mean()) < 0.01  # 0.03 without signs
    assert apart.std() < 0.08


def test_the_weights_of_words_are_those_of_training_and_are_stored() -> None:
    words = TitleWords(256)
    words.fit(TITLES)
    again = TitleWords(256)
    assert not torch.equal(again(TITLES), words(TITLES))
    again.load_state_dict(words.state_dict())
    assert torch.equal(again(TITLES), words(TITLES))


def shop_of_grey_photos(folder: Path) -> Path:
    """A shop whose photos show no colour: its titles alone tell it."""
    from PIL import Image

    data = write_shop(folder, articles=120)
    for photo in (folder / "photos").iterdir():
        Image.open(photo).convert("L").point(lambda level: 255 if level > 250 else 90).save(photo)
    return data


def test_what_photos_do_not_show_is_learnt_from_titles(tmp_path: Path) -> None:
    source = open_source(str(shop_of_grey_photos(tmp_path / "shop")))
    scores = {}
    for text in ("none", "words"):
        run, form = str(tmp_path / text), NetworkConfig(size=16, widths=(4, 8), text=text)
        train_classifier(source, run, network=form, training=TRAINING, tasks=["colour"])
        scores[text] = evaluate_classifier(run, source)["test"]["colour"]["accuracy"]
    assert scores["words"] == 1.0
    assert scores["none"] < 0.8
    answers, _ = predict_photos(str(tmp_path / "words"), [str(tmp_path / "shop" / "photos" / "1-0.png")])
    assert answers["probability"].sum() == pytest.approx(1.0)


def test_titles_are_read_with_every_pooling_and_by_frozen_backbones(shop: Path, tmp_path: Path) -> None:
    source = open_source(str(shop))
    for pooling in ("logits", "max"):
        form = NetworkConfig(size=16, widths=(4, 8), text="words", pooling=pooling, hidden=4)
        run = str(tmp_path / pooling)
        training = TrainConfig(epochs=6, lr=3e-2, batch_size=16, frozen=True, device="cpu")
        train_classifier(source, run, network=form, training=training, tasks=["colour"])
        assert evaluate_classifier(run, source)["test"]["colour"]["accuracy"] == 1.0


def test_titles_and_photos_are_hidden_in_training_alone() -> None:
    labels = LabelSpace((Task("colour", ("red", "blue")),))
    form = NetworkConfig(size=16, widths=(4, 8), text="words", titles=4)
    network = ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=labels, config=form)
    with torch.no_grad():
        network.heads[0].weight.copy_(torch.tensor([[1.0] * 8 + [0.0] * 4, [0.0] * 8 + [1.0] * 4]))
        network.heads[0].bias.zero_()
    vectors, titles, article = torch.ones(4000, 8), torch.ones(4000, 4), torch.arange(4000)
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = network.train().judge_vectors(vectors, article, 4000, titles)["colour"]
        whole = network.eval().judge_vectors(vectors, article, 4000, titles)["colour"]
    photos, told = (drawn == 0).T
    assert float(photos.float().mean()) == pytest.approx(0.4, abs=0.03)
    assert float(told.float().mean()) == pytest.approx(0.2, abs=0.03)
    assert not (photos & told).any()
    assert bool((whole > 0).all())


def test_a_training_is_not_resumed_with_other_titles(shop: Path, tmp_path: Path) -> None:
    form = NetworkConfig(size=16, widths=(4, 8), text="words")
    run = tmp_path / "run"
    train_classifier(open_source(str(shop)), str(run), network=form, training=TRAINING)
    (run / "report.json").unlink()
    table = shop.with_name("shop.jsonl")
    table.write_text(table.read_text().replace("A round red thing", "A round cherry thing", 1))
    with pytest.raises(ValueError, match="title of item"):
        train_classifier(open_source(str(shop)), str(run), network=form, training=TRAINING, resume=True)


@pytest.fixture
def text_network(tmp_path: Path) -> Path:
    """A tiny BERT with random weights, and its tokenizer."""
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "round", "square", "red", "green", "blue", "thing"]
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    return folder


def test_a_network_of_words_reads_titles_and_is_named_with_its_weights(text_network: Path, tmp_path: Path) -> None:
    encoder = TextEncoder.open(str(text_network))
    vectors = encoder(["a red thing", "", "a blue thing that is longer", "a red thing"])
    assert vectors.shape == (4, 16)
    torch.testing.assert_close(vectors[0], vectors[3])
    assert vectors.norm(dim=1).tolist() == pytest.approx([1, 0, 1, 1])
    torch.testing.assert_close(encoder(["a red thing"])[0], vectors[0])  # padding is not read
    source = open_source(str(shop_of_grey_photos(tmp_path / "shop")))
    form = NetworkConfig(size=16, widths=(4, 8), text=str(text_network))
    run = str(tmp_path / "run")
    train_classifier(source, run, network=form, training=TRAINING, tasks=["colour"])
    assert Classifier.load(RunFolder(run)).network.config.text == encoder.name
    assert evaluate_classifier(run, source)["test"]["colour"]["accuracy"] == 1.0
    config = json.loads((text_network / "config.json").read_text())
    assert config["hidden_size"] == 16
    encoder.model.embeddings.word_embeddings.weight.data += 1
    encoder.model.save_pretrained(text_network)
    with pytest.raises(ValueError, match=r"titles: expected the weights of training, .*bert@[0-9a-f]{12}, got"):
        evaluate_classifier(run, source)


def test_words_that_no_network_reads_are_refused_in_one_line(shop: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    asked = ["vision", "classify", "train", "--data", str(shop), "--checkpoint", str(tmp_path / "run")]
    from typer.testing import CliRunner

    cli.mount()
    found = CliRunner().invoke(cli.app, [*asked, "--titles", str(tmp_path / "nothing")])
    assert isinstance(found.exception, FileNotFoundError)
    assert str(found.exception).startswith("titles: expected 'words', a folder of weights or a name on the hub, got")
    assert not (tmp_path / "run").exists()
