"""An assortment in the order of a model's score."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline import cli
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify.classifier import Classifier
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import predict_photos
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig
from hemline.vision.search import ranking as rankings
from hemline.vision.search.look_alikes import build_index, find_similar
from hemline.vision.search.ranking import rank_by_labels, ranked_table
from hemline.vision.search.where import Condition

from .conftest import write_shop

LABELS = LabelSpace((Task("colour", ("red", "green", "blue")), Task("facets", ("warm", "soft"), facets=True)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a run of its colours and shapes, and an index; one photo is broken."""
    folder = tmp_path_factory.mktemp("sorted")
    data = write_shop(folder / "shop")
    (folder / "shop" / "photos" / "7-0.png").write_text("this was a photo once")
    network = NetworkConfig(size=24, widths=(8, 16))
    training = TrainConfig(epochs=15, lr=1e-2, batch_size=16, device="cpu", augment=None)
    train_classifier(open_source(str(data)), str(folder / "run"), network=network, training=training)
    build_index(open_source(str(data)), str(folder / "looks"), made_by={"backbone": "small-cnn"}, axes=4)
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    cli.mount()
    code = cli.run([str(word) for word in ("vision", "sort", *words)])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize(
    ("asked", "shares", "probability"),
    [
        ("colour=red", [0.5, 0.3, 0.2], 0.5),
        ("colour=red|blue", [0.5, 0.3, 0.2], 0.7),
        ("colour=red|red", [0.5, 0.3, 0.2], 0.5),
        ("colour!=red|blue", [0.5, 0.3, 0.2], 0.3),
        ("facets=warm", [0.8, 0.5], 0.8),
        ("facets=warm|soft", [0.8, 0.5], 0.9),
        ("facets!=warm|soft", [0.8, 0.5], 0.1),
    ],
)
def test_the_probability_of_a_condition_is_that_of_its_labels(asked, shares, probability) -> None:
    found = rankings._probability(Condition.read(asked), LABELS, np.array([shares], dtype=np.float32))
    assert found == pytest.approx([probability], abs=1e-6)


def test_articles_stand_in_the_order_of_the_probabilities_that_the_classifier_gives_their_photos(shop: Path) -> None:
    source, checkpoint = open_source(str(shop / "shop" / "shop.toml")), str(shop / "run")
    found = rank_by_labels(source, ["colour=red", "shape=round"], checkpoint=checkpoint)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert len(found.hits) == 59
    answers, _ = predict_photos(checkpoint, [hit.photo for hit in found.hits])
    told = answers.set_index(["photo", "task", "label"])["probability"]
    for hit in found.hits:
        expected = float(told[hit.photo, "colour", "red"]) * float(told[hit.photo, "shape", "round"])
        assert hit.score == pytest.approx(expected, abs=1e-5)
    assert found.without_photo == ("i7",)
    assert [Path(bad.address).name for bad in found.quarantine] == ["7-0.png"]
    red = [article.item_id for article in source.catalogue.articles if article.labels.get("colour") == ("red",)]
    few = rank_by_labels(source, ["colour!=red"], checkpoint=checkpoint, where=["colour=red"])
    assert {hit.item_id for hit in few.hits} | set(few.without_photo) == set(red)
    # The most surprising label of a person stands first.
    assert few.hits[0].score == max(1 - float(told[hit.photo, "colour", "red"]) for hit in few.hits)


def test_several_photos_of_an_article_are_judged_together(tmp_path: Path) -> None:
    source = open_source(str(write_shop(tmp_path / "shop", articles=20, photos=2)))
    network, training = NetworkConfig(size=16, widths=(4,)), TrainConfig(epochs=1, device="cpu", augment=None)
    checkpoint = str(tmp_path / "run")
    train_classifier(source, checkpoint, network=network, training=training, max_images=1)
    one = rank_by_labels(source, ["shape=round"], checkpoint=checkpoint)
    assert len(one.hits) == 20
    assert {Path(hit.photo).name.partition("-")[2] for hit in one.hits} == {"0.png"}
    folder = RunFolder(checkpoint)
    model = Classifier.load(folder)
    Classifier(model.network, model.training, None).save(folder)
    both = rank_by_labels(source, ["shape=round"], checkpoint=checkpoint)
    assert [hit.score for hit in both.hits] != [hit.score for hit in one.hits]


def test_the_command_sorts_by_labels_into_a_table_and_a_page(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", shop / "shop" / "shop.toml", "--checkpoint", shop / "run", "--by", "colour=red"]
    files = ["--out", tmp_path / "red.csv", "--page", tmp_path / "red.html"]
    code, out, err = run(capsys, *words, *files, "--top", 3)
    assert code == 0
    assert out.splitlines()[-1] == "59 articles, 1 without a usable photo"
    assert "7-0.png" in err
    table = pd.read_csv(tmp_path / "red.csv", dtype={"rank": "Int64"})
    assert list(table) == [
        *("rank", "item_id", "score", "photo", "title"),
        *("label_colour", "label_facets", "label_shape"),
    ]
    assert table["rank"].tolist()[:-1] == list(range(1, 60))
    assert table.iloc[-1][["item_id"]].tolist() == ["i7"]
    assert table.iloc[-1][["rank", "score"]].isna().all()
    assert table["label_facets"][0] in ("is-red|warm", None)
    shown = [line.split()[2] for line in out.splitlines()[:-1]]
    assert shown == table["item_id"].tolist()[:3]
    page = (tmp_path / "red.html").read_text()
    assert page.count("<img") == 3
    assert "colour=red" in page
    code, out, _ = run(capsys, *words, "--reverse", "--out", tmp_path / "least.parquet")
    least = pd.read_parquet(tmp_path / "least.parquet")
    assert least["item_id"].tolist()[:59] == table["item_id"].tolist()[58::-1]
    assert least["rank"].tolist()[:3] == [1, 2, 3]


def test_the_command_sorts_by_likeness_and_words_as_a_search_for_all_finds(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hemline.vision.search.index import PhotoIndex

    index = PhotoIndex.open(str(shop / "looks"))
    code, out, _ = run(
        *(capsys, "--index", shop / "looks", "--like", "i3", "--words", "red", "--where", "shape=round"),
        *("--out", tmp_path / "it.csv", "--page", tmp_path / "it.html", "--top", 4),
    )
    hits = find_similar(index, ["i3"], k=len(index), words="red", where=["shape=round"])
    assert code == 0
    assert out.splitlines()[-1] == f"{len(hits)} articles"
    assert pd.read_csv(tmp_path / "it.csv")["item_id"].tolist() == [hit.item_id for hit in hits]
    assert (tmp_path / "it.html").read_text().count("<img") == 5
    code, out, _ = run(capsys, "--index", shop / "looks", "--words", "red", "--reverse", "-k", 1)
    assert float(out.split()[1]) == min(hit.score for hit in find_similar(index, [], k=len(index), words="red"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "by, like, words: expected labels, or else photos, items or words, got neither"),
        (["--by", "colour=red", "--words", "red"], "by, like, words: expected labels, or else .*, got both"),
        (["--by", "colour=red"], "data: expected --data beside labels, got none"),
        (["--words", "red"], "index: expected --index beside photos, items or words, got none"),
        (["--data", "DATA", "--by", "colour=red", "--index", "LOOKS"], "index: expected none beside labels"),
        (["--data", "DATA", "--by", "colour=red", "--unlike", "i3"], "unlike: expected none beside labels"),
        (["--index", "LOOKS", "--words", "red", "--checkpoint", "RUN"], "checkpoint: expected none beside photos"),
        (["--data", "DATA", "--checkpoint", "RUN", "--by", "red"], "by: expected column=label, .*, got 'red'"),
        (
            ["--data", "DATA", "--checkpoint", "RUN", "--by", "fit=slim"],
            r"by: expected one of the columns \[.*got 'fit'",
        ),
        (
            ["--data", "DATA", "--checkpoint", "RUN", "--by", "colour=pink"],
            "by: expected labels of colour .*got 'pink'",
        ),
    ],
)
def test_what_cannot_be_sorted_is_refused_in_one_line(
    shop: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    places = {"DATA": shop / "shop" / "shop.toml", "RUN": shop / "run", "LOOKS": shop / "looks"}
    code, out, err = run(capsys, *(places.get(word, word) for word in words))
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert re.search(message, line), line


def test_a_table_of_nothing_but_labels_that_no_article_has_keeps_its_columns() -> None:
    hit = rankings.Hit("a", "a.png", 0.5, {"tags": ("x", "y"), "none": ()}, "=1+1")
    table = ranked_table(rankings.Ranking((hit,), ("b",)))
    assert table.columns.tolist() == ["rank", "item_id", "score", "photo", "title", "label_none", "label_tags"]
    assert table["label_tags"].tolist()[0] == "x|y"
    assert table["rank"].tolist()[0] == 1
    assert table.isna().to_numpy().sum() == 1 + 6
