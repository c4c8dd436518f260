"""The index of photos: the nearest by two engines, filters, what is not wanted, duplicates, and what is refused."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.source import open_source
from hemline.vision.search.duplicates import duplicate_photos
from hemline.vision.search.index import PhotoIndex
from hemline.vision.search.look_alikes import build_index, extend_index, find_similar
from hemline.vision.search.nearest import ExactNearest, FaissNearest
from hemline.vision.search.perceptual_hash import distances, perceptual_hash
from hemline.vision.search.photo_vectors import PhotoVectors
from hemline.vision.search.sheet import contact_sheet
from hemline.vision.search.where import Condition, allowed_rows
from PIL import Image

from .conftest import photo, write_shop

CNN = {"backbone": "small-cnn"}


def some(items: str, seed: int = 0, encoder: str = "one", labels=None) -> PhotoVectors:
    rng = np.random.default_rng(seed)
    n = len(items)
    parts = [rng.normal(size=(n, 3)), rng.normal(size=(n, 4))]
    vectors = np.concatenate([part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts], axis=1)
    return PhotoVectors(
        tuple(items),
        tuple(f"{item}-{number}.jpg" for number, item in enumerate(items)),
        vectors.astype(np.float32),
        {"shape": 3, "colours": 4},
        rng.integers(0, 2**63, n).astype(np.uint64),
        tuple(labels or [{} for _ in items]),
        ("",) * n,
        encoder,
    )


def written(folder: Path, vectors: PhotoVectors) -> PhotoIndex:
    return PhotoIndex.write(str(folder), vectors, CNN, {"axes": torch.ones(2)})


# -- the nearest -----------------------------------------------------------------------------------------------------


def brute_force(vectors, article, queries, k, allowed):
    best = {}
    for row in np.flatnonzero(allowed):
        score = max(float(vectors[row].astype(np.float64) @ query.astype(np.float64)) for query in queries)
        if article[row] not in best or score > best[article[row]]:
            best[article[row]] = score
    return sorted(best, key=lambda number: (-best[number], number))[:k], sorted(best.values(), reverse=True)[:k]


@pytest.mark.parametrize("seed", range(6))
def test_torch_and_faiss_find_what_all_products_in_double_precision_say(seed):
    pytest.importorskip("faiss", reason="needs the extra `search`")
    rng = np.random.default_rng(seed)
    article = np.sort(rng.integers(0, 40, 200))
    article = np.unique(article, return_inverse=True)[1]
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    vectors[50:90] = vectors[10:50]  # equal photos of other articles
    queries = rng.normal(size=(1 + seed % 3, 8)).astype(np.float32)
    allowed = rng.random(200) < (1.0 if seed < 2 else 0.3)
    for k in (1, 7, 40):
        wanted, scores = brute_force(vectors, article, queries, k, allowed)
        answers = [
            made(vectors, article).search(queries, k, None if allowed.all() else allowed)
            for made in (ExactNearest, FaissNearest)
        ]
        for found in answers:
            np.testing.assert_allclose(found.scores, scores, rtol=1e-5, atol=1e-6)
            assert (article[found.rows] == found.articles).all()
        # Equal articles may be told apart by rounding in single precision, and by both engines alike.
        assert answers[0].articles.tolist() == answers[1].articles.tolist()
        assert set(answers[0].articles.tolist()) == set(wanted) or len(set(np.round(scores, 5))) < len(scores)


def test_equal_articles_stand_in_the_order_of_the_index():
    vectors = np.ones((5, 2), dtype=np.float32)
    article = np.arange(5)
    for engine in (ExactNearest, FaissNearest):
        if engine is FaissNearest:
            pytest.importorskip("faiss", reason="needs the extra `search`")
        assert engine(vectors, article).search(vectors[:1], 3).articles.tolist() == [0, 1, 2]


def test_nothing_is_found_where_nothing_is_allowed():
    pytest.importorskip("faiss", reason="needs the extra `search`")
    vectors = np.eye(3, dtype=np.float32)
    for engine in (ExactNearest, FaissNearest):
        assert len(engine(vectors, np.arange(3)).search(vectors[:1], 2, np.zeros(3, bool)).articles) == 0


# -- what is asked ---------------------------------------------------------------------------------------------------


def test_weights_choose_the_part_that_counts(tmp_path):
    index = written(tmp_path, some("abcdef"))
    query = index.of_item("a")
    for part, columns in (("shape", slice(0, 3)), ("colours", slice(3, 7))):
        other = {"shape": "colours", "colours": "shape"}[part]
        hits = index.search(query, 6, weights={part: 1.0, other: 0.0})
        alike = index.vectors.vectors[:, columns] @ query[0, columns]
        assert [hit.item_id for hit in hits] == ["abcdef"[row] for row in np.argsort(-alike)]
        assert hits[0].score == pytest.approx(1.0, abs=1e-6)


def test_what_is_not_wanted_comes_later_and_what_is_filtered_does_not_come(tmp_path):
    labels = [
        {"neck": ("v",)},
        {"neck": ("round",)},
        {"neck": ("v",)},
        {},
        {"neck": ("v", "deep")},
        {"neck": ("boat",)},
    ]
    index = written(tmp_path, some("abcdef", labels=labels))
    query = index.of_item("a")
    order = [hit.item_id for hit in index.search(query, 6)]
    second = index.of_item(order[1])
    after = [hit.item_id for hit in index.search(query, 6, unlike=second)]
    assert after.index(order[1]) > 1
    found = {hit.item_id for hit in index.search(query, where=[Condition.read("neck=v")])}
    assert found == {"a", "c", "e"}
    assert {hit.item_id for hit in index.search(query, where=[Condition.read("neck!=v|boat")])} == {"b", "d"}
    both = [Condition.read("neck=v"), Condition.read("neck!=deep")]
    assert {hit.item_id for hit in index.search(query, where=both, without=["a"])} == {"c"}


@pytest.mark.parametrize("text", ["neck", "=v", "neck=", "neck=|", "!=v", ""])
def test_a_condition_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"^where: expected column=label.*got"):
        Condition.read(text)


def test_a_condition_on_what_nobody_said_names_what_is_there():
    labels = [{"neck": ("v",)}, {"fit": ("slim",)}]
    with pytest.raises(ValueError, match=r"columns \['fit', 'neck'\], got 'colour'"):
        allowed_rows(labels, [Condition.read("colour=red")])
    with pytest.raises(ValueError, match=r"labels of neck \(v\), got 'w'"):
        allowed_rows(labels, [Condition.read("neck=w")])


# -- the folder ------------------------------------------------------------------------------------------------------


def test_an_index_grows_and_shrinks_on_the_disk(tmp_path):
    index = written(tmp_path, some("aabbc"))
    index.add(some("de", seed=1))
    index = PhotoIndex.open(str(tmp_path))
    assert index.item_ids == ("a", "b", "c", "d", "e")
    index.remove(["b", "d"])
    index = PhotoIndex.open(str(tmp_path))
    assert index.vectors.item_ids == ("a", "a", "c", "e")
    assert np.array_equal(index.vectors.vectors[3], some("de", seed=1).vectors[1])
    index.add(some("b", seed=2))
    index = PhotoIndex.open(str(tmp_path)).remove(["a", "c"])
    again = PhotoIndex.open(str(tmp_path))
    assert again.vectors.item_ids == index.vectors.item_ids == ("e", "b")
    names = [path.name for path in tmp_path.iterdir()]
    # Less than half was left: the rows were written anew, and what they were in is gone.
    assert sorted(name.partition(".")[2] for name in names) == ["json", "parquet", "safetensors", "safetensors"]
    assert again.tensors()["axes"].tolist() == [1.0, 1.0]


def test_whoever_opened_an_index_before_it_changed_changes_what_is_there_now(tmp_path):
    early = written(tmp_path, some("ab"))
    PhotoIndex.open(str(tmp_path)).add(some("c", seed=1))
    assert early.add(some("d", seed=2)).item_ids == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="'c', which is"):
        early.add(some("c", seed=1))


def test_two_do_not_change_an_index_at_the_same_time(tmp_path):
    index = written(tmp_path, some("ab"))
    with index.folder.alone("index"), pytest.raises(ValueError, match=r"index: expected a folder that no other run"):
        index.remove(["a"])


# -- what is refused -------------------------------------------------------------------------------------------------


def refusals(tmp_path):
    index = written(tmp_path / "it", some("abc"))
    query = index.of_item("a")
    twice = some("a")
    yield "an article that is there", lambda: index.add(some("xb", 1)), "item_ids: expected .* got 'b', which is"
    yield (
        "a photo twice",
        lambda: PhotoVectors.joined([twice, twice]),
        "item_ids: expected each photo of an article once, got a-0.jpg of 'a' twice",
    )
    yield "another encoder", lambda: index.add(some("x", encoder="two")), "encoder: expected vectors of one.* of two"
    yield "no rows", lambda: written(tmp_path / "none", some("")), "data: expected articles with a photo"
    yield "an index there", lambda: written(tmp_path / "it", some("a")), "index: expected a folder without an index"
    yield "all removed", lambda: index.remove(["a", "b", "c"]), "item_ids: expected to leave articles.* all 3"
    yield "not there", lambda: index.remove(["z"]), "item: expected an article of the index, got 'z'"
    for k in (0, 4, -1):
        yield f"k {k}", lambda k=k: index.search(query, k), rf"k: expected 1…3, the articles of the index, got {k}"
    yield "another width", lambda: index.search(query[:, :5]), r"queries: expected vectors of 7 numbers, got \[1, 5\]"
    yield "no query", lambda: index.search(query[:0]), r"queries: expected .* got \[0, 7\]"
    yield "an unknown part", lambda: index.search(query, weights={"smell": 1}), "weights: expected parts of .*'smell'"
    for amount in (-1.0, float("nan")):
        yield f"weight {amount}", lambda amount=amount: index.search(query, weights={"shape": amount}), "weights: exp"
    yield (
        "no weight",
        lambda: index.search(query, weights={"shape": 0, "colours": 0}),
        "weights: expected finite numbers, none below 0 and one above",
    )
    spoilt = some("ab").vectors.copy()
    spoilt[1, 2] = np.nan
    yield "no number", lambda: _with(some("ab"), spoilt), "vectors: expected finite numbers, got others for item 'b'"


def _with(vectors: PhotoVectors, numbers: np.ndarray) -> PhotoVectors:
    return replace(vectors, vectors=numbers)


def test_bad_input_is_one_line_that_says_what_was_expected(tmp_path):
    count = 0
    for what, call, pattern in refusals(tmp_path):
        with pytest.raises((ValueError, FileNotFoundError)) as caught:
            call()
        assert re.match(pattern, str(caught.value)), (what, str(caught.value))
        assert "\n" not in str(caught.value)
        count += 1
    assert count == 17


def test_a_folder_that_is_spoilt_is_one_line(tmp_path):
    written(tmp_path / "it", some("abc"))
    file = tmp_path / "it" / "index.json"
    told = json.loads(file.read_text())
    rows = next((tmp_path / "it").glob("[!m]*.safetensors"))
    content = rows.read_bytes()
    other = {**told, "segments": [{"name": "../../x", "rows": 3, "gone": []}]}
    wrong = {**told, "parts": {"shape": 3, "colours": 5}}
    more = {**told, "segments": [{**told["segments"][0], "rows": 4}]}
    for change, pattern in (
        ({**told, "segments": []}, "index: expected rows in .*, got an empty index"),
        (other, "segment: expected the name of a file, without a path"),
        (wrong, r"vectors: expected \[3, 8\] numbers, got \[3, 7\]"),
        (more, "index: expected 4 rows in .*, got 3"),
    ):
        file.write_text(json.dumps(change))
        with pytest.raises(ValueError, match=pattern):
            PhotoIndex.open(str(tmp_path / "it"))
    file.write_text(json.dumps(told))
    rows.write_bytes(content[:-9])
    with pytest.raises(ValueError, match="index: expected whole vectors in"):
        PhotoIndex.open(str(tmp_path / "it"))
    with pytest.raises(FileNotFoundError, match="there is no index"):
        PhotoIndex.open(str(tmp_path))


# -- a shop ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop_index(tmp_path_factory):
    place = tmp_path_factory.mktemp("search")
    data = write_shop(place / "shop", articles=24, photos=2)
    index, bad = build_index(open_source(str(data)), str(place / "it"), made_by=CNN, axes=8)
    assert not bad
    return index, data


def test_the_same_colour_is_found_and_by_photo_as_by_article(shop_index, tmp_path):
    index, _ = shop_index
    assert len(index) == 24
    assert len(index.vectors) == 48
    row = next(row for row, labels in enumerate(index.vectors.labels) if labels.get("colour") == ("red",))
    item, picture = index.vectors.item_ids[row], index.vectors.photos[row]
    hits = find_similar(index, [item], k=4, weights={"shape": 0.0, "colours": 1.0})
    assert all("red" in hit.text for hit in hits)
    assert item not in {hit.item_id for hit in hits}
    assert find_similar(index, [picture], k=1)[0].score == pytest.approx(1.0, abs=1e-5)
    assert find_similar(index, [picture], k=1)[0].item_id == item


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "I;16", "1"])
def test_a_photo_of_another_mode_is_read_like_any(shop_index, tmp_path, mode):
    index, _ = shop_index
    grey = photo("red", "round", np.random.default_rng(3), size=48).convert("L")
    grey.convert("RGB").save(tmp_path / "plain.png")
    kind = "tiff" if mode in ("CMYK", "I;16") else "png"
    if mode == "I;16":
        made = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        made = grey.convert("RGB").convert(mode) if mode in ("CMYK", "P", "RGBA") else grey.convert(mode)
    made.save(tmp_path / f"other.{kind}")
    hits = find_similar(index, [str(tmp_path / f"other.{kind}")], k=3)
    if mode not in ("1", "CMYK", "P"):  # those lose levels of grey
        assert [hit.item_id for hit in hits] == [
            hit.item_id for hit in find_similar(index, [str(tmp_path / "plain.png")], k=3)
        ]
    assert len(hits) == 3


def test_a_photo_that_cannot_be_opened_is_one_line(shop_index, tmp_path):
    index, _ = shop_index
    (tmp_path / "no.jpg").write_text("a text")
    with pytest.raises(ValueError, match=r"^like: .*no.jpg: photo: expected a picture"):
        find_similar(index, [str(tmp_path / "no.jpg")])
    with pytest.raises(ValueError, match=r"unlike: expected a photo or an item of the index, got .nowhere.jpg."):
        find_similar(index, ["i0"], unlike=["nowhere.jpg"])
    with pytest.raises(ValueError, match="like: expected photos, items or words, got none"):
        find_similar(index, [])


def test_an_index_goes_on_with_further_articles_on_its_own_axes(shop_index, tmp_path):
    index, data = shop_index
    rows = [json.loads(line) for line in data.with_name("shop.jsonl").read_text().splitlines()]
    for name, chosen in (("first", rows[:16]), ("rest", rows[16:])):
        (data.parent / f"{name}.jsonl").write_text("\n".join(map(json.dumps, chosen)))
        (data.parent / f"{name}.toml").write_text(data.read_text().replace("shop.jsonl", f"{name}.jsonl"))
    first, _ = build_index(open_source(str(data.parent / "first.toml")), str(tmp_path / "it"), made_by=CNN, axes=8)
    whole, _ = extend_index(first, open_source(str(data.parent / "rest.toml")))
    assert whole.item_ids == index.item_ids
    assert whole.vectors.encoder == first.vectors.encoder
    again = PhotoIndex.open(str(tmp_path / "it"))
    hits = again.search(again.of_item("i20"), 24)
    assert {hit.item_id: hit.score for hit in hits}["i20"] == pytest.approx(hits[0].score) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="got 'i0', which is"):
        extend_index(whole, open_source(str(data)))


def test_weights_that_do_not_fit_are_refused(shop_index, tmp_path):
    index, _ = shop_index
    held = index.tensors()
    for changed, pattern in (
        ({**held, "projection": torch.eye(3)}, r"projection: expected weights .*, got \[3, 3\]"),
        ({**held, "axes": held["axes"][:, :-1]}, "space: expected axes of .* features"),
        ({name: held[name] for name in ("centre", "axes")}, "space: expected the tensors .* got none called 'middle'"),
        ({**held, "axes": held["axes"] + 1}, "encoder: expected the weights that made the index"),
    ):
        made = PhotoIndex.write(str(tmp_path / "it"), index.vectors, CNN, changed, replace=True)
        with pytest.raises(ValueError, match=pattern):
            find_similar(made, [index.vectors.photos[0]])


def test_photos_that_are_all_alike_are_refused(tmp_path):
    source = open_source(str(write_shop(tmp_path / "shop", articles=9)))
    one = replace(source, catalogue=replace(source.catalogue, articles=source.catalogue.articles[:1]))
    with pytest.raises(ValueError, match="photos: expected at least two that differ, got 1"):
        build_index(one, str(tmp_path / "it"), made_by=CNN)
    assert not (tmp_path / "it").exists()


# -- duplicates ------------------------------------------------------------------------------------------------------


def test_another_size_and_compression_is_the_same_picture_and_another_picture_is_not(tmp_path):
    rng = np.random.default_rng(0)
    scenes = [
        Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((120, 120), Image.Resampling.BICUBIC)
        for _ in range(20)
    ]

    def hashed(pictures):
        pixels = np.stack([np.asarray(one.resize((96, 96))) for one in pictures]).transpose(0, 3, 1, 2)
        return perceptual_hash(torch.from_numpy(pixels.copy()))

    saved = []
    for scene in scenes:
        file = io.BytesIO()
        scene.resize((61, 61), Image.Resampling.BICUBIC).save(file, "JPEG", quality=40)
        saved.append(Image.open(file).convert("RGB"))
    apart = distances(hashed(scenes), hashed(saved))
    assert np.diag(apart).max() <= 8
    assert (apart + 64 * np.eye(20, dtype=int)).min() > 12


def test_pairs_that_show_the_same_are_told_once():
    vectors = some("abcd")
    numbers, hashes = vectors.vectors.copy(), vectors.hashes.copy()
    hashes[2] = hashes[0] ^ np.uint64(0b101)
    numbers[3] = numbers[1]
    pairs = duplicate_photos(replace(vectors, vectors=numbers, hashes=hashes))
    assert [tuple(row) for row in pairs[["item_a", "item_b"]].to_numpy()] == [("a", "c"), ("b", "d")]
    assert pairs["bits"].tolist()[0] == 2
    assert pairs["similarity"].tolist()[1] == pytest.approx(1.0)
    assert duplicate_photos(replace(vectors, vectors=numbers, hashes=hashes), bits=1)["item_a"].tolist() == ["b"]


# -- the command line and the page -----------------------------------------------------------------------------------


def test_the_page_escapes_what_a_table_says_and_needs_no_other_file(shop_index):
    index, _ = shop_index
    hit = find_similar(index, ["i0"], k=1)[0]
    evil = replace(hit, item_id="<b>x", text="<script>alert(1)</script>", labels={"a<": ('"&',)})
    lost = replace(evil, photo="nowhere.png")
    page = contact_sheet(["<i>"], [evil, lost], photos=[hit.photo], title="<h>")
    assert "<script" not in page
    for text in ("&lt;b&gt;x", "&lt;script&gt;", "a&lt;: &quot;&amp;", "&lt;i&gt;", "<h1>&lt;h&gt;</h1>"):
        assert text in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count('class="none"') == 1
    assert not re.search(r'(src|href)="(?!data:)', page)


def run(capsys, *words: str) -> tuple[int, str, str]:
    if not cli.app.registered_groups:
        cli.mount()
    status = cli.run(words)
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_shop(tmp_path / "shop", articles=12, photos=2)
    (tmp_path / "shop" / "photos" / "0-0.png").write_text("no picture")
    status, out, err = run(
        capsys, "vision", "index", "build", "--data", "shop/shop.toml", "--index", "it", "--backbone", "small-cnn"
    )
    assert status == 0
    assert "23 photos of 12 articles in it; small-cnn@" in out
    assert "0-0.png: photo: expected a picture" in err
    status, out, _ = run(capsys, "vision", "similar", "i1", "--index", "it", "-k", "2", "--out", "alike.html")
    assert status == 0
    assert len(out.splitlines()) == 2
    assert (tmp_path / "alike.html").read_text().startswith("<!doctype html>")
    status, out, _ = run(capsys, "vision", "similar", "i1", "--index", "it", "--where", "shape=round", "--unlike", "i2")
    assert status == 0
    assert all("A round" in line for line in out.splitlines())
    status, out, _ = run(capsys, "vision", "index", "remove", "i3", "i4", "--index", "it")
    assert "19 photos of 10 articles" in out
    status, _, err = run(capsys, "vision", "index", "add", "--data", "shop/shop.toml", "--index", "it")
    assert (status, len(err.strip().splitlines())) == (1, 1)
    assert "got 'i0', which is" in err
    status, out, _ = run(capsys, "vision", "index", "duplicates", "--index", "it", "--bits", "0", "--similarity", "2")
    assert status == 0
    assert re.search(r"\d+ pairs among 19 photos", out)
    for words in (
        ("vision", "similar", "i3", "--index", "it"),
        ("vision", "similar", "i1", "--index", "nowhere"),
        ("vision", "similar", "i1", "--index", "shop"),
        ("vision", "similar", "i1", "--index", "it", "-k", "11"),
        ("vision", "similar", "i1", "--index", "it", "--where", "shape"),
        ("vision", "similar", "i1", "--index", "it", "--out", "x.txt"),
        ("vision", "index", "remove", "i3", "--index", "it"),
        ("vision", "index", "build", "--data", "shop/shop.toml", "--index", "it", "--backbone", "small-cnn"),
    ):
        status, _, err = run(capsys, *words)
        assert status in (1, 2), words
        assert len([line for line in err.strip().splitlines() if "random weights" not in line]) == 1, err
