"""Tables with articles that are yet to be launched, and the vectors that describe them."""

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales, get_dataset
from hemline.datasets.commands import app
from hemline.datasets.pictures.vectors import ArticleVectors
from typer.testing import CliRunner

WEEKS = pd.date_range("2024-01-01", periods=24, freq="W-MON")
HOW = {"item": "article", "timestamp": "week", "target": "units", "prediction_length": 4}


def table(**begins):
    """Weekly rows of articles from where they begin; units up to week 20, prices to the end."""
    rows = [
        pd.DataFrame({"week": WEEKS[first:], "article": name, "units": 7.0, "price": 10.0 + first})
        for name, first in begins.items()
    ]
    whole = pd.concat(rows, ignore_index=True)
    whole.loc[whole["week"] >= WEEKS[20], "units"] = np.nan
    return whole


class TestUnseen:
    def test_an_article_with_rows_to_come_alone_is_kept_with_its_first_price_before_them(self):
        data = from_frame(table(coat=0, hat=20), **HOW, covariates=["price"], unseen="keep")
        assert data.metadata.item_ids == ("coat", "hat")
        for entry in (data.train[0], data.test[0], data.latest):
            assert np.isnan(entry["target"][1]).all()
            np.testing.assert_array_equal(entry["feat_dynamic_real"][1], 30)
        assert data.latest["target"].shape[1] == 20
        assert data.latest["feat_dynamic_real"].shape[1] == 24

    def test_one_that_begins_in_a_test_window_is_kept_too(self):
        data = from_frame(table(coat=0, hat=18), **HOW, covariates=["price"], unseen="keep")
        assert np.isnan(data.train[0]["target"][1]).all()
        np.testing.assert_array_equal(data.test[0]["target"][1], [np.nan] * 18 + [7, 7])

    def test_without_prices_a_row_without_units_says_that_it_is_launched(self):
        data = from_frame(table(coat=0, hat=20), **HOW, unseen="keep")
        assert data.metadata.item_ids == ("coat", "hat")
        assert data.latest["target"].shape == (2, 20)

    def test_a_shop_keeps_them_alike(self):
        sales = from_sales(
            table(coat=0, hat=20), article="article", date="week", units="units", price="price", prediction_length=4,
            unseen="keep",
        )  # fmt: skip
        assert np.isnan(sales.latest["target"][1]).all()

    @pytest.mark.parametrize("launch", [17, 20])
    def test_rows_without_units_before_a_launch_begin_no_zeros(self, launch):
        """A row that tells the regular price stands apart: the weeks up to the launch have none."""
        rows = table(coat=0, hat=launch)
        rows.loc[rows["article"] == "hat", "price"] = 30.0
        rows = pd.concat([rows, pd.DataFrame({"week": WEEKS[14:15], "article": "hat", "price": 40.0})])
        data = from_sales(
            rows.reset_index(drop=True), article="article", date="week", units="units", price="price",
            prediction_length=4, unseen="keep", missing_rows="zero", fill_covariates="forward", windows=0,
        )  # fmt: skip
        target = data.train[0]["target"][1]
        assert np.flatnonzero(~np.isnan(target)).tolist() == list(range(launch, 20))

    @pytest.mark.parametrize(
        ("begins", "said"), [(20, ", got none at all"), (18, " before the first test window on .*, got none")]
    )
    def test_else_they_are_refused_and_it_is_said_how_they_would_not_be(self, begins, said):
        with pytest.raises(ValueError, match=rf"a value of the series 'hat'{said}.*unseen='keep'"):
            from_frame(table(coat=0, hat=begins), **HOW, covariates=["price"])

    def test_a_table_without_any_value_is_refused(self):
        with pytest.raises(ValueError, match="expected a value of some series, got none"):
            from_frame(table(coat=20), **HOW, covariates=["price"], unseen="keep")

    def test_an_unknown_answer_is_refused(self):
        with pytest.raises(ValueError, match="unseen: expected 'refuse' or 'keep' or 'drop', got 'leave'"):
            from_frame(table(coat=0), **HOW, unseen="leave")


class TestVectors:
    def vectors(self, folder, *items):
        path = folder / "vectors.parquet"
        vectors = [[float(number), 1.0] for number in range(len(items))]
        pd.DataFrame({"item_id": items, "has_photo": True, "vector": vectors, "encoder": "small"}).to_parquet(path)

    def shop(self, folder, **keys):
        table(coat=0, hat=20).to_csv(folder / "sales.csv", index=False)
        lines = {"table": "sales.csv", "unseen": "keep", "covariates": ["price"], **HOW, **keys}
        (folder / "shop.toml").write_text("\n".join(f"{key} = {value!r}" for key, value in lines.items()))
        return get_dataset(str(folder / "shop.toml"))

    def test_a_description_names_them_beside_the_table(self, tmp_path):
        self.vectors(tmp_path, "hat", "coat")
        data = self.shop(tmp_path, vectors="vectors.parquet")
        for entry in (data.train[0], data.test[0], data.latest):
            np.testing.assert_array_equal(entry["feat_static_real"], [[1, 1, 1], [0, 1, 1]])

    @pytest.mark.filterwarnings("error")
    def test_describe_has_a_line_for_an_article_without_a_value(self, tmp_path):
        self.vectors(tmp_path, "hat", "coat")
        self.shop(tmp_path, vectors="vectors.parquet")
        done = CliRunner().invoke(app, ["describe", str(tmp_path / "shop.toml")], catch_exceptions=False)
        (line,) = [line for line in done.output.splitlines() if "hat" in line and "%" in line]
        assert line.replace(" ", "").strip("│").split("│") == ["hat", *"-----", "100.0%", "0.0%"]

    def test_a_file_that_is_nowhere_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"vectors\.parquet"):
            self.shop(tmp_path, vectors="vectors.parquet")

    def test_a_file_that_is_none_is_refused_by_its_name(self, tmp_path):
        (tmp_path / "vectors.parquet").write_bytes(b"")
        with pytest.raises(ValueError, match=r"expected a Parquet file of article vectors, got .*vectors\.parquet"):
            self.shop(tmp_path, vectors="vectors.parquet")

    def test_a_vector_of_another_length_is_refused_by_its_item(self, tmp_path):
        rows = {"item_id": ["coat", "hat"], "has_photo": True, "vector": [[1.0, 2.0], [1.0]]}
        pd.DataFrame(rows).to_parquet(tmp_path / "vectors.parquet")
        with pytest.raises(ValueError, match=r"vectors of 2 numbers in .*vectors\.parquet, got others for 'hat'"):
            self.shop(tmp_path, vectors="vectors.parquet")

    def test_vectors_of_other_articles_are_refused(self, tmp_path):
        self.vectors(tmp_path, "scarf")
        with pytest.raises(ValueError, match="'scarf'"):
            self.shop(tmp_path, vectors="vectors.parquet")

    def test_an_article_in_a_store_has_the_vector_of_the_article(self):
        vectors = ArticleVectors(("coat", "a@b"), np.array([[2.0], [3.0]], np.float32), np.ones(2, bool))
        found = vectors.features(["coat@north", "coat", "a@b", "a@b@south", "a", "hat@north"])
        np.testing.assert_array_equal(found[:, 0], [2, 2, 3, 3, 0, 0])
