from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.datasets.pictures.catalogue import Article, Catalogue, CatalogueTable, read_catalogue, read_photo_folder
from hemline.datasets.pictures.labels import MISSING, UNSEEN, LabelSpace, Task
from hemline.datasets.pictures.photos import Pictures, load_pictures
from hemline.datasets.pictures.source import open_source
from hemline.datasets.pictures.split import ArticleSplit, split_articles
from hemline.runtime.plain import made_of, to_plain
from PIL import Image

ROWS = [
    {"id": "007", "photos": ["a.jpg", "b.jpg"], "colour": "red", "more": {"neck": "V"}, "title": "Red | V"},
    {"id": "008", "photos": [], "colour": "NA", "more": {}, "title": ""},
]
COLUMNS = CatalogueTable("id", "photos", {"colour": "colour", "neck": "more.neck"}, text="title")


def jsonl(path: Path, rows: list[dict]) -> str:
    content = "\n".join(json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_json_lines_give_articles_with_photos_labels_and_text(tmp_path: Path, name: str) -> None:
    first, second = read_catalogue(jsonl(tmp_path / name, ROWS), photos="/photos", columns=COLUMNS).articles
    assert first == Article("007", ("/photos/a.jpg", "/photos/b.jpg"), {"colour": ("red",), "neck": ("V",)}, "Red | V")
    assert second == Article("008", (), {"colour": (), "neck": ()}, "")


def test_csv_cells_stay_texts_and_are_split_at_the_separator(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,photos,colour,side\n007,a.jpg|b.jpg,red|blue,train\n8,,,test\n")
    columns = CatalogueTable("id", "photos", ["colour"], side="side")
    first, second = read_catalogue(str(tmp_path / "t.csv"), columns=columns).articles
    assert first.item_id == "007"
    assert first.images == (f"{tmp_path}/a.jpg", f"{tmp_path}/b.jpg")
    assert first.labels["colour"] == ("red", "blue")
    assert (second.images, second.labels["colour"], second.side) == ((), (), "test")


def test_parquet_lists_and_templates_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "tags": [["a", "b"], None], "colour": ["red", None]})
    frame.to_parquet(tmp_path / "t.parquet")
    columns = CatalogueTable("id", "{id}.jpg", ["tags", "colour"])
    first, second = read_catalogue(str(tmp_path / "t.parquet"), photos="x", columns=columns).articles
    assert (first.images, first.labels["tags"]) == (("x/1.jpg",), ("a", "b"))
    assert (second.labels["tags"], second.labels["colour"]) == ((), ())


def test_an_empty_cell_says_nothing_whatever_else_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,photos,colour\n1,a.jpg|,\n2,,unknown\n3,b.jpg,NA\n")
    columns = CatalogueTable("id", "photos", ["colour"], missing=("unknown",))
    found = read_catalogue(str(tmp_path / "t.csv"), photos="x", columns=columns).articles
    assert [article.images for article in found] == [("x/a.jpg",), (), ("x/b.jpg",)]
    assert [article.labels["colour"] for article in found] == [(), (), ("NA",)]


def test_a_template_is_filled_from_nested_columns_and_only_where_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,sku\n1,\n2,7\n")
    found = read_catalogue(str(tmp_path / "t.csv"), photos="x", columns=CatalogueTable("id", "{sku}-a.jpg")).articles
    assert [article.images for article in found] == [(), ("x/7-a.jpg",)]
    rows = [{"id": 7, "more": {"view": "front"}}, {"id": 8, "more": {}}]
    columns = CatalogueTable("id", "{id:03d}-{more.view}.jpg")
    nested = read_catalogue(jsonl(tmp_path / "t.jsonl", rows), photos="x", columns=columns).articles
    assert [article.images for article in nested] == [("x/007-front.jpg",), ()]
    with pytest.raises(ValueError, match=r"images: expected cells that fit '\{sku:03d\}', got '7'"):
        read_catalogue(str(tmp_path / "t.csv"), columns=CatalogueTable("id", "{sku:03d}"))
    with pytest.raises(ValueError, match=r"images: expected columns in braces, got '\{sku'"):
        read_catalogue(str(tmp_path / "t.csv"), columns=CatalogueTable("id", "{sku"))


def test_whole_numbers_stay_whole_although_a_gap_stores_them_in_floats(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1.0, 2.0], "year": [2012, None], "size": [7.5, 8.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    columns = CatalogueTable("id", "{id}.jpg", ["year", "size"])
    first, second = read_catalogue(str(tmp_path / "t.parquet"), photos="x", columns=columns).articles
    assert first == Article("1", ("x/1.jpg",), {"year": ("2012",), "size": ("7.5",)})
    assert second == Article("2", ("x/2.jpg",), {"year": (), "size": ("8",)})
    pd.DataFrame({"id": [1, None]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"expected 'id' in each row of .* got none in row 2"):
        read_catalogue(str(tmp_path / "t.parquet"), columns=CatalogueTable("id", None))


def test_json_lines_may_hold_other_line_separators_and_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('\ufeff{"id": "1", "title": "Blue\u2028shirt"}\r\n', encoding="utf-8")
    (article,) = read_catalogue(str(tmp_path / "t.jsonl"), columns=CatalogueTable("id", None, text="title")).articles
    assert (article.item_id, article.text) == ("1", "Blue\u2028shirt")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "id,colour\n1,gr\xfcn\n".encode("latin1")),
        ("t.jsonl", '{"id": "gr\xfcn"}'.encode("latin1")),
        ("t.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 1000)[:-20]),
        ("t.parquet", b"hello"),
        ("t.csv", b""),
        ("t.csv", b"id,colour\n1,red,\n2,blue,\n"),
    ],
)
def test_a_broken_table_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"table: expected a whole table, texts in UTF-8, in .*/{name}, got "):
        read_catalogue(str(tmp_path / name), columns=CatalogueTable("id", None))


def test_a_column_that_is_in_no_row_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"columns: expected 'color' in a row of .*got the columns \['colour'"):
        read_catalogue(jsonl(tmp_path / "t.jsonl", ROWS), columns=CatalogueTable("id", "photos", ["color"]))


def test_a_broken_line_is_refused_by_number(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": 1}\n{"id": \n')
    with pytest.raises(ValueError, match="line 2"):
        read_catalogue(str(tmp_path / "t.jsonl"), columns=CatalogueTable("id", None))


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"table: expected a \.jsonl"):
        read_catalogue("t.xlsx", columns=CatalogueTable())


def test_an_item_without_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got none in row 2"):
        read_catalogue(jsonl(tmp_path / "t.jsonl", [{"id": 1}, {"x": 2}]), columns=CatalogueTable("id", None))


def test_an_item_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'a' twice"):
        Catalogue((Article("a"), Article("a")))


def test_a_photo_folder_gives_classes_and_sides(tmp_path: Path) -> None:
    for name in ("train/hat/1.png", "test/shoe/2.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    catalogue = read_photo_folder(str(tmp_path))
    assert [(a.labels["class"], a.side) for a in catalogue.articles] == [(("shoe",), "test"), (("hat",), "train")]
    assert len(load_pictures(catalogue, 2)) == 2


def test_photos_outside_the_folders_of_classes_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train/hat/1.png", "other/hat/2.png", "3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    assert read_photo_folder(str(tmp_path)).item_ids == ("train/hat/1.png",)
    assert "2 photos lie neither in <class>/ nor in" in caplog.text


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got none"):
        read_photo_folder(str(tmp_path))


def generated(contents: list[list[str]]) -> tuple[Catalogue, Pictures]:
    catalogue = Catalogue(tuple(Article(f"i{number}") for number in range(len(contents))))
    flat = [(number, content) for number, some in enumerate(contents) for content in some]
    pixels = np.zeros((len(flat), 1, 1, 1), np.uint8)
    owners = np.array([n for n, _ in flat], dtype=np.int64)
    return catalogue, Pictures(pixels, owners, tuple(c for _, c in flat), tuple(c for _, c in flat))


def test_no_photo_stands_on_both_sides_of_a_split() -> None:
    rng = np.random.default_rng(0)
    contents = [[f"p{n}" for n in rng.integers(0, 300, 2)] for _ in range(250)]
    catalogue, pictures = generated(contents)
    split = split_articles(catalogue, pictures, seed=1)
    side = {item: name for name in ("train", "validation", "test") for item in split.side(name)}
    assert len(side) == 250
    where: dict[str, set[str]] = {}
    for item, some in zip(catalogue.item_ids, contents, strict=True):
        for content in some:
            where.setdefault(content, set()).add(side[item])
    assert all(len(sides) == 1 for sides in where.values())


def test_a_split_is_seeded_meets_its_shares_and_ignores_other_articles() -> None:
    catalogue, pictures = generated([[f"p{n}"] for n in range(2000)])
    split = split_articles(catalogue, pictures, seed=3)
    assert split == split_articles(catalogue, pictures, seed=3)
    assert split != split_articles(catalogue, pictures, seed=4)
    assert abs(len(split.test) / 2000 - 0.2) < 0.03
    fewer = split_articles(*generated([[f"p{n}"] for n in range(100)]), seed=3)
    assert set(fewer.test) == set(split.test) & {f"i{n}" for n in range(100)}
    assert made_of(json.loads(json.dumps(to_plain(split))), ArticleSplit) == split


def test_a_side_that_stays_empty_is_told(caplog: pytest.LogCaptureFixture) -> None:
    catalogue, pictures = generated([["size chart"]] * 20)
    split = split_articles(catalogue, pictures)
    told = [name for name in ("validation", "test") if not split.side(name)]
    assert told
    assert [record.message for record in caplog.records] == [
        f"{name}: the split of 20 articles leaves this side empty" for name in told
    ]


def test_a_given_split_is_kept_and_photos_on_two_sides_are_listed() -> None:
    articles = tuple(Article(name, side=side) for name, side in (("a", "train"), ("b", "test"), ("c", "test")))
    _, pictures = generated([["same"], ["same"], ["own"]])
    split = split_articles(Catalogue(articles), pictures)
    assert (split.train, split.test, split.seed) == (("a",), ("b", "c"), None)
    assert split.shared == ("same", "same")


def test_validation_is_drawn_from_a_given_training_side() -> None:
    articles = tuple(Article(f"i{number}", side="test" if number % 4 == 0 else "train") for number in range(2000))
    catalogue, pictures = Catalogue(articles), generated([[f"p{number}"] for number in range(2000)])[1]
    given, split = split_articles(catalogue, pictures), split_articles(catalogue, pictures, validation=0.1)
    assert (split.test, given.validation, given.seed, split.seed) == (given.test, (), None, 0)
    assert set(split.train) | set(split.validation) == set(given.train)
    assert abs(len(split.validation) / 1500 - 0.1) < 0.03


def test_a_share_of_what_the_source_gives_is_refused() -> None:
    catalogue = Catalogue((Article("a", side="train"), Article("b", side="validation"), Article("c", side="test")))
    pictures = generated([[], [], []])[1]
    with pytest.raises(ValueError, match=r"^test: expected no share, .* got 0.2"):
        split_articles(catalogue, pictures, test=0.2)
    with pytest.raises(ValueError, match=r"^validation: expected no share, .* got 0.1"):
        split_articles(catalogue, pictures, validation=0.1)


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(ValueError, match="'valid' for 'a'"):
        split_articles(Catalogue((Article("a", side="valid"),)), generated([[]])[1])


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValueError, match="leave some for training"):
        split_articles(*generated([["p"]]), validation=0.5, test=0.5)


def article(**labels: tuple[str, ...]) -> Article:
    return Article("x", labels=labels)


def test_labels_become_numbers_in_the_chosen_order() -> None:
    articles = [article(size=("S",)), article(size=("L",)), article(size=())]
    space = LabelSpace.of(articles, ["size"], order={"size": ["S", "M", "L"]})
    assert space["size"].classes == ("S", "M", "L")
    assert space.encode(articles)["size"].tolist() == [0, 2, MISSING]


def test_a_label_never_seen_in_training_is_marked_and_named() -> None:
    space = LabelSpace.of([article(size=("S",))], ["size"])
    new = [article(size=("XL",)), article(size=("XL",)), article(size=("S",))]
    assert space.encode(new)["size"].tolist() == [UNSEEN, UNSEEN, 0]
    assert space.unseen(new) == {"size": {"XL": 2}}


def test_facets_are_rows_of_yes_and_no_and_missing_rows_are_nan() -> None:
    articles = [article(tags=("a", "c")), article(tags=())]
    space = LabelSpace.of([article(tags=("a", "b", "c"))], ["tags"], facets=["tags"])
    codes = space.encode(articles)["tags"]
    assert codes[0].tolist() == [1, 0, 1]
    assert np.isnan(codes[1]).all()


def test_label_errors_name_the_column() -> None:
    with pytest.raises(ValueError, match="got none in any training article"):
        LabelSpace.of([article(size=())], ["size"])
    with pytest.raises(ValueError, match=r"at most one 'size' of item 'x', got \['S', 'M'\]"):
        LabelSpace.of([article(size=("S", "M"))], ["size"])
    with pytest.raises(ValueError, match=r"at most one 'size' of item 'x', got \['S', 'M'\]"):
        LabelSpace.of([article(size=("S",))], ["size"]).encode([article(size=("S", "M"))])
    with pytest.raises(ValueError, match="got none for 'S'"):
        LabelSpace.of([article(size=("S",))], ["size"], order={"size": ["M"]})
    with pytest.raises(ValueError, match=r"expected 'colour' among the tasks"):
        LabelSpace.of([article(size=("S",))], ["size"], facets=["colour"])
    with pytest.raises(ValueError, match="'S' twice"):
        Task("size", ("S", "S"))


def test_a_label_is_held_by_several_columns_and_by_lists_in_them(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "first": "red", "more": ["blue", "red"]},
        {"id": "b", "first": "NA", "more": ["green|white", None]},
        {"id": "c", "first": None, "more": []},
    ]
    (tmp_path / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    described = (
        'table = "shop.jsonl"\nitem_id = "id"\nimages = "{{id}}.jpg"\nfacets = ["colours"]\n[labels]\ncolours = {}\n'
    )
    (tmp_path / "shop.toml").write_text(described.format('["first", "more"]'))
    source = open_source(str(tmp_path / "shop.toml"))
    found = [article.labels["colours"] for article in source.catalogue.articles]
    assert found == [("red", "blue"), ("green|white",), ()]
    codes = LabelSpace.of(source.catalogue.articles, ["colours"], facets=["colours"]).encode(source.catalogue.articles)
    assert np.isnan(codes["colours"][2]).all()
    for wrong in ('["first", 3]', "[]", "3"):
        (tmp_path / "wrong.toml").write_text(described.format(wrong))
        with pytest.raises(ValueError, match=r"data: expected a list of texts, or a table of texts and lists of texts"):
            open_source(str(tmp_path / "wrong.toml"))
    (tmp_path / "wrong.toml").write_text(described.format('["first", "none"]'))
    with pytest.raises(ValueError, match="columns: expected 'none' in a row"):
        open_source(str(tmp_path / "wrong.toml"))
