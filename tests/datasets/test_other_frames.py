"""Frames of other libraries and files of other forms: the same dataset, equal to the last digit."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from hemline.datasets import ForecastData, from_frame, from_sales, get_dataset
from hemline.datasets.entries.frequency import dates_of
from hemline.datasets.tables.foreign_frames import as_pandas, in_library
from hemline.datasets.tables.table_files import TableFormat

SALES = {"article": "sku", "store": "shop", "date": "day", "units": "sold", "price": "eur", "promotion": "promo"}
SALES |= {"in_stock": "shelf", "prediction_length": 3, "windows": 2}


class ArrowAlone:
    """A frame that nobody knows, with the Arrow interface."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def sales() -> pd.DataFrame:
    days = pd.date_range("2024-05-01", periods=30)
    table = pd.MultiIndex.from_product([["007", "Größe 38"], ["north", "south"], days]).to_frame(index=False)
    table.columns = ["sku", "shop", "day"]
    draw = np.random.default_rng(0)
    table["sold"] = pd.array(draw.poisson(9, len(table)), dtype="Int64")
    table["eur"] = draw.uniform(1, 99, len(table))
    table["promo"] = draw.random(len(table)) < 0.2
    table["shelf"] = pd.array(draw.random(len(table)) < 0.95, dtype="boolean")
    table.loc[table["day"] >= days[27], ["sold", "shelf"]] = pd.NA
    return table


def arrow() -> pa.Table:
    return pa.Table.from_pandas(sales(), preserve_index=False)


def arrow_types() -> pd.DataFrame:
    return arrow().to_pandas(types_mapper=pd.ArrowDtype)


def decimals() -> pa.Table:
    plain = pa.Table.from_pandas(sales().astype({"sold": float}), preserve_index=False)
    return plain.set_column(3, "sold", plain["sold"].cast(pa.decimal128(12, 2)))


FRAMES = {
    "pandas, numpy types": lambda: sales().astype({"sold": float, "shelf": float}),
    "pandas, objects": lambda: sales().astype(object),
    "pandas, Arrow types": arrow_types,
    "pandas, nullable types": lambda: sales().convert_dtypes(),
    "pandas, categories": lambda: sales().astype({"sku": "category", "shop": "category"}),
    "pyarrow": arrow,
    "pyarrow, decimals": lambda: decimals(),
    "pyarrow, days": lambda: arrow().set_column(2, "day", arrow()["day"].cast(pa.date32())),
    "pyarrow, dictionary": lambda: arrow().set_column(0, "sku", arrow()["sku"].dictionary_encode()),
    "pyarrow, reader": lambda: arrow().to_reader(),
    "polars": lambda: polars.from_arrow(arrow()),
    "polars, lazy": lambda: polars.from_arrow(arrow()).lazy(),
    "DuckDB": lambda: duckdb.connect().from_arrow(arrow()),
    "the Arrow interface": lambda: ArrowAlone(arrow()),
}


def same(one: ForecastData, other: ForecastData) -> None:
    assert one.metadata == other.metadata
    for mine, yours in zip([*one.train, *one.test, one.latest], [*other.train, *other.test, other.latest], strict=True):
        assert mine.target.tobytes() == yours.target.tobytes()
        assert mine.channels.values.tobytes() == yours.channels.values.tobytes()
        assert dates_of(mine.start, mine.length).equals(dates_of(yours.start, yours.length))


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_of_any_library_is_the_same_dataset(kind):
    data = from_sales(FRAMES[kind](), **SALES)
    same(data, from_sales(sales(), **SALES))
    assert data.metadata.item_ids == ("007", "Größe 38")
    assert np.isnan(data.test[-1].target).any()


@pytest.mark.parametrize("kind", ["pyarrow", "polars", "DuckDB", "pandas, Arrow types"])
def test_a_wide_frame_takes_numbers_of_any_library_for_series(kind):
    wide = pd.DataFrame(
        {"day": pd.date_range("2024-01-01", periods=20), "a": np.arange(20.0), "b": range(20), "c": "x"}
    )
    table = pa.Table.from_pandas(wide, preserve_index=False)
    table = table.append_column("d", pa.array([Decimal("1.25")] * 20))
    frames = {"pyarrow": table, "polars": polars.from_arrow(table), "DuckDB": duckdb.connect().from_arrow(table)}
    frames["pandas, Arrow types"] = table.to_pandas(types_mapper=pd.ArrowDtype)
    data = from_frame(frames[kind], timestamp="day", prediction_length=2)
    same(data, from_frame(wide.assign(d=1.25), timestamp="day", prediction_length=2))
    assert data.metadata.item_ids == ("a", "b", "d")


def test_an_index_of_arrow_dates_is_one_of_dates():
    days = pd.Series(pd.date_range("2024-01-01", periods=20)).astype("timestamp[us][pyarrow]")
    wide = pd.DataFrame({"a": np.arange(20.0)}, index=pd.Index(days))
    same(
        from_frame(wide, timestamp=None, prediction_length=2),
        from_frame(wide.set_axis(pd.date_range("2024-01-01", periods=20)), timestamp=None, prediction_length=2),
    )


def test_a_time_zone_comes_through_arrow():
    hours = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin")
    wide = pd.DataFrame({"at": hours, "a": np.arange(60.0)})
    for frame in (polars.from_pandas(wide), pa.Table.from_pandas(wide)):
        data = from_frame(frame, timestamp="at", prediction_length=2)
        assert [str(date) for date in dates_of(data.latest.start, 60)] == [str(hour) for hour in hours]


@pytest.mark.parametrize(
    ("nothing", "named"),
    [
        ([{"day": 1}], "list"),
        ({"a": [1]}, "dict"),
        (np.ones((3, 2)), "numpy.ndarray"),
        (polars.Series([1]), "polars.series.series.Series"),
        (pa.array([1]), "pyarrow.lib.Int64Array"),
        (3, "int"),
    ],
)
def test_what_is_no_frame_is_refused_by_its_kind(nothing, named):
    with pytest.raises(ValueError, match=rf"^frame: expected a frame \(of pandas, polars, .* file, got {named}$"):
        from_frame(nothing, timestamp="day", prediction_length=1)


@pytest.mark.parametrize(
    ("library", "kind"), [("polars", polars.DataFrame), ("pyarrow", pa.Table), ("pandas", pd.DataFrame)]
)
def test_a_frame_goes_out_to_the_library_that_is_named(library, kind):
    frame = sales()[["sku", "day", "eur"]]
    out = in_library(frame, library)
    assert isinstance(out, kind)
    pd.testing.assert_frame_equal(as_pandas(out), frame)


def test_a_library_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"library: expected 'pandas', 'polars', .* got 'spreadsheet'"):
        in_library(sales(), "spreadsheet")
    with pytest.raises(ValueError, match="library: expected modin to be installed"):
        in_library(sales(), "modin")


def excel(path, table, **options) -> None:
    table.to_excel(path, index=False, **options)


def test_excel_is_the_same_dataset(tmp_path):
    excel(tmp_path / "sales.xlsx", sales())
    same(from_sales(tmp_path / "sales.xlsx", **SALES), from_sales(sales(), **SALES, name="sales"))


def test_excel_of_digits_and_names_that_look_like_something_else(tmp_path):
    months = pd.date_range("2023-01-01", periods=14, freq="MS")
    wide = pd.DataFrame({"month": months.strftime("%Y%m").astype(int), "sku": "NA", "sold": np.arange(14)})
    excel(tmp_path / "a.xlsx", wide)
    data = from_frame(tmp_path / "a.xlsx", timestamp="month", item="sku", target="sold", prediction_length=2)
    assert data.metadata.item_ids == ("NA",)
    assert dates_of(data.latest.start, 14).equals(months)


def test_excel_with_a_column_twice_or_no_excel_at_all_is_refused(tmp_path):
    wide = pd.DataFrame([[day, 1, 2] for day in pd.date_range("2024-01-01", periods=5)], columns=["day", "a", "a"])
    excel(tmp_path / "twice.xlsx", wide)
    with pytest.raises(ValueError, match=r"target: expected one column 'a'.*, got 2"):
        from_frame(tmp_path / "twice.xlsx", timestamp="day", prediction_length=1)
    (tmp_path / "no.xlsx").write_text("a;b")
    with pytest.raises(ValueError, match=r"cannot be read as a table \(it is no Excel file of the kind \.xlsx"):
        from_frame(tmp_path / "no.xlsx", timestamp="day", prediction_length=1)


def german(folder, **changes) -> str:
    """A table as a German export has it, and the TOML file that describes it."""
    table = sales().assign(day=lambda t: t["day"].dt.strftime("%d.%m.%Y"), sold=lambda t: t["sold"] * 1000)
    for flag in ("promo", "shelf"):
        table[flag] = table[flag].map({True: "J", False: "N"}).fillna("")
    numbers = {
        "sold": lambda n: "" if pd.isna(n) else f"{int(n):,}".replace(",", "."),
        "eur": lambda n: f"{n!r}".replace(".", ","),
    }
    for name, write in numbers.items():
        table[name] = table[name].map(write)
    table = table.rename(columns={"eur": "Preis €"})
    rows = [";".join(table.columns), *(";".join(row) for row in table.astype(str).to_numpy())]
    (folder / "umsatz.csv").write_text("\n".join(rows), encoding="cp1252")
    keys = {"table": "umsatz.csv", **SALES, "sep": ";", "decimal": ",", "thousands": ".", "encoding": "cp1252"}
    keys |= {"true_words": ["J", "Ja"], "false_words": ["N"]} | changes
    lines = [f"{key} = {value!r}" for key, value in keys.items() if value is not None]
    (folder / "laden.toml").write_text("\n".join([*lines, "[rename]", '"Preis €" = "eur"']))
    return str(folder / "laden.toml")


def test_an_export_with_commas_points_and_words_is_the_same_dataset(tmp_path):
    whole = sales().assign(sold=lambda t: t["sold"] * 1000)
    same(get_dataset(german(tmp_path)), from_sales(whole, **SALES, name="laden"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sep": None, "decimal": None, "thousands": None},
            "separated by ';', expected ','; say sep = ';' in",
        ),
        ({"encoding": None}, r"it is no UTF-8 .*encoding = \"cp1252\""),
        (
            {"encoding": "ansi-german"},
            r"laden\.toml: encoding: expected 'utf-8', 'cp1252' or the like, got 'ansi-german'",
        ),
        ({"sep": ";;"}, r"laden\.toml: sep: expected one character such as ';', ',' or '\.', got ';;'"),
        ({"decimal": ";"}, "decimal: expected another character than sep, got ';' for both"),
        ({"thousands": ","}, "thousands: expected another character than decimal, got ',' for both"),
        ({"decimal": None, "thousands": None}, r"'sold': expected finite numbers|'eur': .* decimal = ',' reads such"),
        ({"true_words": None}, r"true_words: expected words beside other false_words, got \[\] and \['N'\]"),
        ({"true_words": ["N"]}, "true_words: expected words beside other false_words, got 'N' in both"),
        ({"true_words": None, "false_words": None}, r"'promo': .* got '[JN]' in row .*true_words and false_words say"),
        ({"sheet": "a"}, "sheet: expected no such argument for a file of CSV, got sheet = 'a'"),
        ({"sep": 3}, r"laden\.toml: sep: expected a text, got 3"),
        ({"true_words": "J"}, r"laden\.toml: true_words: expected a list of texts, got 'J'"),
        ({"returns": "ignore"}, r"laden\.toml: returns: expected one of 'refuse', 'net', 'drop', got 'ignore'"),
    ],
)
def test_a_form_that_is_not_that_of_the_file_is_one_line(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message) as raised:
        get_dataset(german(tmp_path, **changes))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("cell", ["3.000.0", "3.5", "12.0000", "1.00,5.0"])
def test_thousands_are_set_apart_by_threes(tmp_path, cell):
    name = german(tmp_path)
    text = (tmp_path / "umsatz.csv").read_text(encoding="cp1252").replace(";3.000;", f";{cell};", 1)
    assert f";{cell};" in text
    (tmp_path / "umsatz.csv").write_text(text, encoding="cp1252")
    with pytest.raises(ValueError, match=rf"'sold': expected (finite )?numbers .*, got .*{cell!r} in row"):
        get_dataset(name)


def test_a_column_that_is_to_be_renamed_has_to_be_there(tmp_path):
    name = german(tmp_path)
    with open(name, "a", encoding="utf-8") as file:
        file.write('\n"Preis" = "price"\n')
    with pytest.raises(
        ValueError, match=r"rename: expected one of the columns sku, shop, day.* in .*umsatz\.csv', got 'Preis'"
    ):
        get_dataset(name)


def test_a_form_of_a_csv_file_is_refused_for_parquet(tmp_path):
    sales().to_parquet(tmp_path / "sales.parquet")
    lines = [f"{key} = {value!r}" for key, value in {"table": "sales.parquet", "sep": ";", **SALES}.items()]
    (tmp_path / "shop.toml").write_text("\n".join(lines))
    with pytest.raises(ValueError, match="sep: expected no such argument for a file of Parquet, got sep = ';'"):
        get_dataset(str(tmp_path / "shop.toml"))
    assert TableFormat().sep == ","


def returned_rows() -> pd.DataFrame:
    """Thirty days of two articles with 9 and 4 units, and rows of returns."""
    days = pd.date_range("2024-05-01", periods=30)
    rows = [
        {"sku": sku, "day": day, "sold": units, "eur": 5.0} for sku, units in (("coat", 9), ("hat", 4)) for day in days
    ]
    rows += [
        {"sku": "coat", "day": days[3], "sold": -2, "eur": 1.0},
        {"sku": "coat", "day": days[3], "sold": -1, "eur": 1.0},
    ]
    rows += [{"sku": "hat", "day": days[7], "sold": -6, "eur": 5.0}]
    return pd.DataFrame(rows).drop(index=29 + 11).sample(frac=1, random_state=1)


def test_returns_are_refused_netted_or_left_out():
    table, settings = (
        returned_rows(),
        {"article": "sku", "date": "day", "units": "sold", "price": "eur", "prediction_length": 2},
    )
    with pytest.raises(
        ValueError, match=r"units: expected at least 0 in 'sold', got -\d in row \d+, .*returns='net' or 'drop'"
    ):
        from_sales(table, **settings)
    with pytest.raises(ValueError, match=r"'count', got -2 in series 'hat' on 2024-05-08 .*domain='real'"):
        from_sales(table, **settings, returns="net", fill_covariates="forward")
    net = from_sales(table, **settings, returns="net", domain="real", fill_covariates="forward")
    coat, hat = (net.latest.target[net.metadata.item_ids.index(name)] for name in ("coat", "hat"))
    assert coat[3] == 6
    assert hat[7] == -2
    assert np.nansum(net.latest.target) == table["sold"].sum()
    assert (net.latest.channel("price[coat]") == 5).all()
    assert (
        net.facts["returns"]
        == f"9 units, {100 * 9 / table['sold'].clip(lower=0).sum():.1f} % of those sold, taken off those sold"
    )
    dropped = from_sales(table, **settings, returns="drop", fill_covariates="forward")
    assert np.nansum(dropped.latest.target) == table["sold"].clip(lower=0).sum()
    assert dropped.latest.target[dropped.metadata.item_ids.index("coat"), 3] == 9


def test_a_return_without_a_sale_is_a_step_of_its_own():
    table = returned_rows()
    table = table[~((table["sku"] == "hat") & (table["day"] == "2024-05-08") & (table["sold"] > 0))]
    settings = {"article": "sku", "date": "day", "units": "sold", "prediction_length": 2}
    for returns, units in (("net", -6), ("drop", 0)):
        data = from_sales(table, **settings, returns=returns, domain="real")
        assert data.latest.target[data.metadata.item_ids.index("hat"), 7] == units


def test_sales_that_stand_twice_are_refused_beside_returns_too():
    table = returned_rows()
    twice = pd.concat([table, table[(table["sku"] == "coat") & (table["day"] == "2024-05-04")]], ignore_index=True)
    with pytest.raises(ValueError, match="rows share article and date with another"):
        from_sales(twice, article="sku", date="day", units="sold", prediction_length=2, returns="net", domain="real")


def test_returns_in_a_column_of_their_own_are_taken_off():
    table = returned_rows()[lambda rows: rows["sold"] > 0].assign(back=lambda rows: (rows["sku"] == "coat") * 2.0)
    settings = {"article": "sku", "date": "day", "units": "sold", "prediction_length": 2}
    with pytest.raises(ValueError, match="returns: expected 'net' or 'drop' beside returned='back', got 'refuse'"):
        from_sales(table, **settings, returned="back")
    net = from_sales(table, **settings, returned="back", returns="net")
    assert (net.latest.target[net.metadata.item_ids.index("coat")] == 7).all()
    with pytest.raises(ValueError, match=r"returned: expected at least 0 in 'back', got -1\.0 in row"):
        from_sales(table.assign(back=-1.0), **settings, returned="back", returns="net")
