from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("tokenizers", reason="captions need the extra 'vision'")

from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.source import Source, open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.captions import annotate
from hemline.vision.captions import training as caption_training
from hemline.vision.captions.annotate import annotate_photos, evaluate_annotator, title_scores, train_annotator
from hemline.vision.captions.annotator import Annotator
from hemline.vision.captions.beam_search import beam_search
from hemline.vision.captions.captioner import Captioner, CaptionerConfig
from hemline.vision.captions.training import CaptionTrainConfig
from hemline.vision.captions.words import BEGIN, END, PAD, UNKNOWN, CaptionTokenizer
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.commands.commands import app
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.networks.product_network import NetworkConfig
from hemline.vision.plots.plot_run import plot_captions

from .conftest import write_shop


def captioner(vocabulary: int = 12, features: int = 6) -> Captioner:
    torch.manual_seed(0)
    return Captioner(CaptionerConfig(features, vocabulary, embed=8, hidden=16, dropout=0.0)).eval()


def test_the_loss_of_a_packed_batch_is_that_of_its_titles_one_by_one() -> None:
    model, vectors = captioner(), torch.randn(3, 6)
    titles = [[4, 5, 6, END], [7, END], [8, 9, END]]
    padded = torch.full((3, 4), PAD)
    for row, title in zip(padded, titles, strict=True):
        row[: len(title)] = torch.tensor(title)
    whole = model.loss(vectors, padded, torch.tensor([4, 2, 3]))
    alone = [
        model.loss(vectors[n : n + 1], torch.tensor([title]), torch.tensor([len(title)])) * len(title)
        for n, title in enumerate(titles)
    ]
    assert torch.allclose(whole, torch.stack(alone).sum() / 9, atol=1e-6)


def test_every_parameter_of_the_captioner_gets_a_gradient() -> None:
    model = captioner()
    model.loss(torch.randn(2, 6), torch.tensor([[4, 5, END], [6, END, PAD]]), torch.tensor([3, 2])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def markov(vocabulary: int, seed: int) -> torch.Tensor:
    return torch.randn(vocabulary, vocabulary, generator=torch.Generator().manual_seed(seed)).log_softmax(dim=1)


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_likeliest_of_all_sequences(seed: int) -> None:
    table, end = markov(4, seed), 3
    said, judged = beam_search(
        lambda token, state: (table[token], state), torch.zeros(2, 1), begin=0, end=end, beams=64, max_length=4
    )
    best = -np.inf
    for length in range(1, 5):
        for middle in itertools.product(range(3), repeat=length - 1):
            for last in range(4) if length == 4 else (end,):
                path = (0, *middle, last)
                total = sum(float(table[a, b]) for a, b in itertools.pairwise(path))
                best = max(best, total / length**0.7)
    assert judged.tolist() == pytest.approx([best, best], abs=1e-5)
    assert said.shape == (2, 4)


def test_a_model_that_never_says_the_end_is_ended() -> None:
    table = torch.tensor([[0.0, -1e9, -1e9], [0.0, -1e9, -1e9], [0.0, -1e9, -1e9]])
    calls = []

    def step(token: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(1)
        return table[token], state

    said, _ = beam_search(step, torch.zeros(1, 1), begin=0, end=2, beams=2, max_length=6)
    assert said.shape == (1, 6)
    assert len(calls) == 6


def test_a_beam_carries_the_state_of_its_own_sequence() -> None:
    def step(token: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        after = state * 3 + token[:, None]
        likely = torch.stack([torch.cos(after[:, 0] * k) for k in range(1, 6)], dim=1).log_softmax(dim=1)
        return likely, after

    start = torch.tensor([[0.3], [0.7]])
    said, judged = beam_search(step, start, begin=0, end=4, beams=3, max_length=5)
    for row in range(2):
        state, token, total, length = start[row : row + 1], torch.tensor([0]), 0.0, 0
        for number in said[row].tolist():
            likely, state = step(token, state)
            total, length, token = total + float(likely[0, number]), length + 1, torch.tensor([number])
            if number == 4:
                break
        assert float(judged[row]) == pytest.approx(total / length**0.7, abs=1e-5)


def test_special_tokens_are_never_said() -> None:
    said = captioner().say(torch.randn(20, 6), beams=3, max_length=8)
    assert not set(said.flatten().tolist()) & {PAD, BEGIN, UNKNOWN}


def test_bad_beams_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 1, got 0 and 24"):
        captioner().say(torch.zeros(1, 6), beams=0)


def test_the_vocabulary_is_stored_and_rare_words_are_unknown() -> None:
    words = CaptionTokenizer.learn(["Red shirt", "red Shoe", "RED hat!"], min_count=2)
    assert len(words) == 5
    again = CaptionTokenizer.from_text(words.to_text())
    assert again.encode("red hat") == words.encode("red hat") == [4, UNKNOWN, END]
    assert words.words("Red  Hat!") == "red hat !"
    with pytest.raises(ValueError, match="at least 9 times"):
        CaptionTokenizer.learn(["a"], min_count=9)


def test_bleu_equals_the_formula_computed_by_hand() -> None:
    # Two of three words match, one of two pairs: sqrt(2/3 * 1/2); lengths are equal, so nothing is deducted.
    assert title_scores(["a b x"], ["a b c"])["bleu_2"] == pytest.approx((2 / 3 * 1 / 2) ** 0.5, abs=1e-4)


@pytest.fixture
def encoder(shop: Path, tmp_path: Path) -> str:
    network = NetworkConfig(size=24, widths=(8, 16), hidden=16)
    training = TrainConfig(epochs=15, lr=1e-2, batch_size=16, device="cpu", augment=None)
    train_classifier(open_source(str(shop)), str(tmp_path / "encoder"), network=network, training=training)
    return str(tmp_path / "encoder")


def test_titles_are_learned_beat_the_most_frequent_one_and_are_said_of_photos(
    shop: Path, tmp_path: Path, encoder: str
) -> None:
    source, run, runner = open_source(str(shop)), str(tmp_path / "titles"), CliRunner()
    training = CaptionTrainConfig(epochs=15, lr=5e-3, batch_size=16, device="cpu", noise=0.1)
    trained = train_annotator(source, run, encoder={"run": encoder}, training=training)
    scores = evaluate_annotator(run, source)
    assert scores["model"]["bleu_2"] > scores["most_frequent_title"]["bleu_2"]
    assert RunFolder(run).read_json("split.json") == RunFolder(encoder).read_json("split.json")
    vectors = RunFolder(run).read_tensors("features.safetensors")["vectors"].numpy()
    assert Annotator.load(RunFolder(run)).say(vectors) == trained.say(vectors)
    photo = str(shop.parent / "photos" / "0-0.png")
    said, quarantine = annotate_photos(run, [photo, str(tmp_path / "none.png")])
    assert said == [(photo, trained.say(vectors)[0])]
    assert len(quarantine) == 1
    done = runner.invoke(app, ["annotate", "test", "--data", str(shop), "--checkpoint", run], catch_exceptions=False)
    assert "| most_frequent_title |" in done.output
    assert "said:" in done.output
    drawn = np.asarray(Image.open(tmp_path / "titles" / "captions.png").convert("RGB")).astype(int)
    assert (np.abs(drawn[..., 0] - drawn[..., 2]) > 100).mean() > 0.01
    for number in range(60):
        (shop.parent / "photos" / f"{number}-0.png").unlink()
    with pytest.raises(ValueError, match=r"expected photos of the captions in .*, got none "):
        plot_captions(run)


def test_features_that_do_not_vary_in_training_are_not_blown_up(shop: Path, tmp_path: Path) -> None:
    source = open_source(str(shop))
    sides = ["train" if number < 1 else "test" for number in range(60)]
    articles = [replace(a, side=side) for a, side in zip(source.catalogue.articles, sides, strict=True)]
    one = Source(Catalogue(tuple(articles), source.catalogue.columns))
    training = CaptionTrainConfig(epochs=1, device="cpu")
    trained = train_annotator(
        one, str(tmp_path / "one"), encoder={"backbone": "small-cnn"}, training=training, min_count=1
    )
    assert trained.std.tolist() == [1.0] * len(trained.std)


def test_no_examples_are_asked_for(shop: Path, tmp_path: Path, encoder: str) -> None:
    run, runner = str(tmp_path / "titles"), CliRunner()
    training = CaptionTrainConfig(epochs=1, device="cpu")
    train_annotator(open_source(str(shop)), run, encoder={"run": encoder}, training=training)
    words = ["annotate", "test", "--data", str(shop), "--checkpoint", run, "--examples"]
    done = runner.invoke(app, [*words, "0"], catch_exceptions=False)
    assert (done.exit_code, "With photos" in done.output) == (0, False)
    assert runner.invoke(app, [*words, "-1"], catch_exceptions=False).exit_code == 2


def test_a_killed_captioner_resumes_and_ends_where_an_unbroken_one_ends(
    shop: Path, tmp_path: Path, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, training = open_source(str(shop)), CaptionTrainConfig(epochs=3, batch_size=16, device="cpu")
    whole = train_annotator(source, str(tmp_path / "whole"), encoder={"run": encoder}, training=training)
    original = caption_training.CaptionTraining.training_step
    steps = iter(range(10_000))

    def killed(self, batch, index):
        if next(steps) == 4:
            raise RuntimeError("killed")
        return original(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(caption_training.CaptionTraining, "training_step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            train_annotator(source, str(tmp_path / "broken"), encoder={"run": encoder}, training=training)
    with pytest.raises(ValueError, match="or --resume, got a run in"):
        train_annotator(source, str(tmp_path / "broken"), encoder={"run": encoder}, training=training)
    resumed = train_annotator(
        source, str(tmp_path / "broken"), encoder={"run": encoder}, training=training, resume=True
    )
    after = resumed.captioner.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in whole.captioner.state_dict().items())


def test_other_weights_of_the_encoder_are_refused(shop: Path, tmp_path: Path, encoder: str) -> None:
    run = str(tmp_path / "titles")
    training = CaptionTrainConfig(epochs=1, device="cpu")
    train_annotator(open_source(str(shop)), run, encoder={"run": encoder}, training=training)
    folder = RunFolder(encoder)
    tensors = folder.read_tensors("model.safetensors")
    folder.write_tensors("model.safetensors", {name: value + 1 for name, value in tensors.items()})
    with pytest.raises(ValueError, match="encoder: expected the weights of training"):
        annotate_photos(run, [str(shop.parent / "photos" / "0-0.png")])


def changed(source: Source, *articles: Article) -> Source:
    return replace(source, catalogue=Catalogue(articles, source.catalogue.columns))


ONCE = CaptionTrainConfig(epochs=1, device="cpu")
PLAIN = {"backbone": "small-cnn"}


def test_titles_are_judged_by_item_id_whatever_the_order_of_the_rows(shop: Path, tmp_path: Path) -> None:
    source, run = open_source(str(shop)), str(tmp_path / "titles")
    articles = source.catalogue.articles
    (shop.parent / "photos" / "broken.png").write_text("no photo")
    broken = str(shop.parent / "photos" / "broken.png")
    source = changed(source, *(replace(article, images=(broken, *article.images)) for article in articles))
    train_annotator(source, run, encoder=PLAIN, training=ONCE)
    scores, told = evaluate_annotator(run, source), RunFolder(run).read_frame("captions.parquet")
    assert [Path(photo).name for photo in told["photo"]] == [f"{item[1:]}-0.png" for item in told["item_id"]]
    turned = changed(source, *reversed(source.catalogue.articles))
    assert evaluate_annotator(run, turned) == scores
    again = RunFolder(run).read_frame("captions.parquet")
    assert again.sort_values("item_id").to_numpy().tolist() == told.sort_values("item_id").to_numpy().tolist()
    with pytest.raises(ValueError, match=r"data: expected the articles of the training in .* without item 'i0'"):
        evaluate_annotator(run, changed(source, *source.catalogue.articles[1:]))
    with pytest.raises(ValueError, match=r"data: expected the articles of the training in .* with item 'new'"):
        evaluate_annotator(run, changed(source, *source.catalogue.articles, Article("new")))


def test_a_captioner_is_resumed_only_as_it_was_begun(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, run = open_source(str(shop)), str(tmp_path / "titles")
    with pytest.raises(ValueError, match=r"resume: expected a run that was begun in .*, got none"):
        train_annotator(source, run, encoder=PLAIN, training=ONCE, resume=True)
    with pytest.raises(ValueError, match="at least 99 times"):
        train_annotator(source, run, encoder=PLAIN, training=ONCE, min_count=99)
    with monkeypatch.context() as patch:
        patch.setattr(annotate, "fit_captioner", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            train_annotator(source, run, encoder=PLAIN, training=ONCE)
    with monkeypatch.context() as patch:
        patch.setattr(annotate, "open_encoder", lambda _: ArticleEncoder.of_backbone("small-cnn", seed=1))
        with pytest.raises(ValueError, match=r"resume: expected encoder as the run in .* was begun with \(small-cnn@"):
            train_annotator(source, run, encoder=PLAIN, training=ONCE, resume=True)
    for name, given in (
        ("training", {"training": CaptionTrainConfig(epochs=2, device="cpu")}),
        ("min_count", {"min_count": 1}),
    ):
        with pytest.raises(ValueError, match=f"resume: expected {name} as the run in .* was begun with"):
            train_annotator(source, run, **{"encoder": PLAIN, "training": ONCE, "resume": True, **given})
    first, *others = source.catalogue.articles
    other = changed(source, replace(first, text="a hat"), *others)
    with pytest.raises(ValueError, match=r"resume: expected text of item i0 as .*, got a hat"):
        train_annotator(other, run, encoder=PLAIN, training=ONCE, resume=True)
    train_annotator(changed(source, *others, first), run, encoder=PLAIN, training=ONCE, resume=True)


def test_a_split_that_leaves_no_title_to_learn_from_is_named(tmp_path: Path) -> None:
    data = write_shop(tmp_path / "shop", articles=12)
    run = str(tmp_path / "run")
    train_classifier(
        open_source(str(data)),
        run,
        network=NetworkConfig(size=16, widths=(4,)),
        training=TrainConfig(epochs=1),
        tasks=["shape"],
    )
    table = data.with_name("shop.jsonl")
    table.write_text(table.read_text().replace('"id": "i', '"id": "x'))
    with pytest.raises(ValueError, match=r"none among 0 articles on the training side of .*run, whose split is used"):
        train_annotator(open_source(str(data)), str(tmp_path / "titles"), encoder={"run": run})
