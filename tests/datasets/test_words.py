"""Categories and texts of a table are covariates, encoded on the training span and read alike by a later table."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales, get_dataset
from hemline.datasets.encodings.encoding import Encoding
from hemline.datasets.encodings.fitting import fitted_category, fitted_text
from hemline.evaluation import backtest
from hemline.evaluation.runs.identity import fingerprint
from hemline.forecasting import build_model, load_predictor

WEEKS = pd.date_range("2022-01-03", periods=120, freq="W-MON")
EFFECTS = {"none": 1.0, "flyer": 1.15, "tv": 2.2, "clearance": 0.6}
ARTICLES = ("coat", "hat", "scarf", "belt")
BRANDS = dict(zip(ARTICLES, ("North", "North", "Alm", "Alm"), strict=True))
TITLES = ("Warm wool coat", "Wool hat, red", "Red scarf", "Leather belt, warm brown")
ARGUMENTS = {"article": "sku", "date": "week", "units": "sold", "prediction_length": 6, "windows": 2}
WORDS = {"categories": ["campaign", "brand"], "texts": ["title"]}


def campaigns(seed=0, weeks=WEEKS):
    """Weekly sales whose campaigns have one indicator and four different effects."""
    draw = np.random.default_rng(seed)
    names = draw.choice(list(EFFECTS), (len(weeks), len(ARTICLES)), p=[0.55, 0.15, 0.15, 0.15])
    rows = pd.MultiIndex.from_product([weeks, ARTICLES], names=["week", "sku"]).to_frame(index=False)
    rows["campaign"] = names.ravel()
    rows["sold"] = draw.poisson(30 * np.vectorize(EFFECTS.get)(names)).ravel().astype(float)
    rows["promo"] = (rows["campaign"] != "none").astype(float)
    rows["brand"] = rows["sku"].map(BRANDS)
    rows["title"] = rows["sku"].map(dict(zip(ARTICLES, TITLES, strict=True)))
    return rows.assign(campaign=rows["campaign"].replace("none", None))


TABLE = campaigns()


def sales(table=TABLE, **more):
    return from_sales(table, **{**ARGUMENTS, **WORDS, **more})


def test_a_category_of_dates_is_one_column_a_level_but_the_most_frequent():
    data = sales()
    assert data.metadata.covariates == tuple(
        f"campaign:{level}[{article}]"
        for level in TABLE["campaign"][: 4 * 108].value_counts().index
        for article in ARTICLES
    )
    of_hat = TABLE[TABLE["sku"] == "hat"]
    assert np.array_equal(data.test[-1].channel("campaign:tv[hat]"), (of_hat["campaign"] == "tv").astype(float))
    assert data.facts["category campaign"].startswith("of each item and date; 4 levels: none, ")


def test_a_category_of_articles_and_their_texts_are_static():
    entry = sales().train[0]
    assert entry.static_cat.tolist() == [[2], [2], [1], [1]]  # as often as each other: by their names
    # Words of one article alone say nothing of another; red, warm and wool are those of two.
    texts = sales().train[0].encoding.texts[0]
    assert (texts.words, entry.static_real.shape) == (("red", "warm", "wool"), (4, 3))
    alike = entry.static_real @ entry.static_real.T
    assert alike[0, [0, 2]] == pytest.approx([1, 0], abs=1e-6)
    assert alike[0, 1] > 0.4


def test_what_all_articles_have_alike_is_one_channel_for_all():
    weather = pd.Series(np.resize(["sun", "rain", "sun"], len(WEEKS)), WEEKS)
    data = sales(TABLE.assign(sky=TABLE["week"].map(weather)), categories=["sky"], texts=[])
    assert data.metadata.covariates == ("sky:rain",)
    wide = TABLE.pivot(index="week", columns="sku", values="sold").assign(sky=weather).reset_index()
    by_column = from_frame(wide, timestamp="week", prediction_length=6, categories=["sky"])
    assert by_column.metadata.covariates == ("sky:rain",)


def test_a_covariate_or_one_of_the_past_stays_what_it_was_named():
    rows = {"item": "sku", "timestamp": "week", "target": "sold", "prediction_length": 6, "categories": ["brand"]}
    known = from_frame(TABLE, **rows, covariates=["brand"])
    past = from_frame(TABLE, **rows, past_covariates=["brand"])
    assert known.metadata.covariates == tuple(f"brand:North[{name}]" for name in ARTICLES)
    assert (past.metadata.past_covariates, past.metadata.covariates) == (known.metadata.covariates, ())
    assert known.train[0].static_cat is None


def test_over_stores_it_is_the_share_of_those_that_have_it():
    both = pd.concat([TABLE.assign(shop="a"), TABLE.assign(shop="b", campaign=None)])
    one = sales().test[-1].channel("campaign:tv[coat]")
    assert np.array_equal(sales(both, store="shop").test[-1].channel("campaign:tv[coat]"), one / 2)
    by_store = sales(both, store="shop", level="store", categories=["brand"], texts=[])
    assert by_store.train[0].static_cat.ravel().tolist() == sales().train[0].static_cat.ravel().tolist() * 2


def test_nothing_is_learnt_from_the_test_windows():
    later = TABLE["week"] >= WEEKS[108]
    changed = TABLE.assign(
        campaign=TABLE["campaign"].mask(later & (TABLE["sku"] == "hat"), "cyber"),
        title=TABLE["title"].mask(later, "wool wool unheard leather"),
    )
    new_one = r"categories: campaign is 'cyber' in 12 rows, the first of 2024-01-29; .* 'other'"
    with pytest.warns(UserWarning, match=new_one):
        data = from_sales(changed, **ARGUMENTS, categories=["campaign"], texts=["title"])
    plain = from_sales(TABLE, **ARGUMENTS, categories=["campaign"])
    assert data.train[0].encoding.categories == plain.train[0].encoding.categories
    assert data.train[0].encoding.texts[0].words == ("red", "warm", "wool")
    new = np.array([data.test[-1].channel(f"campaign:{level}[hat]")[108:] for level in ("flyer", "tv", "clearance")])
    # As the mean of the campaigns that were.
    assert new.sum(0) == pytest.approx(1)
    assert (new > 0.2).all()


def test_rare_levels_are_one_and_so_is_what_comes_later():
    words = pd.Series(["none"] * 50 + ["sale"] * 10 + ["once", "twice", "twice"])
    encoding = fitted_category("campaign", "item", words, np.r_[np.arange(60), 60, 61, 61])
    assert (encoding.levels, encoding.rare) == (("none", "sale", "other"), ("once", "twice"))
    assert encoding.one_hot(np.array(["once", "never", "sale"])).tolist() == [[0, 1], [0, 1], [1, 0]]
    assert encoding.is_known(np.array(["once", "never"])).tolist() == [True, False]
    many = pd.Series([f"level {number}" for number in range(30)] * 3)
    found = fitted_category("campaign", "item", many, np.arange(90))
    assert (len(found.levels), found.levels[0], len(found.rare)) == (13, "other", 18)


def test_components_of_texts_are_those_of_a_singular_value_decomposition():
    draw = np.random.default_rng(0)
    texts = pd.Series([" ".join(draw.choice(list("abcdefghij"), 6)) for _ in range(40)])
    encoding = fitted_text("title", "item", texts)
    counts = np.array([[text.split().count(word) for word in encoding.words] for text in texts], dtype=float)
    weighted = counts * (np.log(41 / (1 + (counts > 0).sum(0))) + 1)
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    _, _, right = np.linalg.svd(weighted, full_matrices=False)
    assert np.abs(encoding.reduced(texts)) == pytest.approx(np.abs(weighted @ right[:4].T), abs=1e-9)
    assert encoding.reduced(["zzz", ""]).tolist() == [[0, 0, 0, 0]] * 2


def test_a_model_with_campaigns_beats_the_same_model_without():
    kinds = {"with": {"categories": ["campaign"]}, "indicator": {"promotion": "promo"}, "without": {}}
    losses = {}
    for name, columns in kinds.items():
        data = from_sales(TABLE, **ARGUMENTS, **columns)
        if name == "without":
            fitted = build_model("var", data.metadata)
        else:
            fitted = build_model("var-responding", data.metadata).train(data.train)
        errors = []
        for window, entry in enumerate(data.test):
            samples = next(iter(fitted.predict([data.history(window)], num_samples=200))).samples
            errors.append(np.abs(samples.mean(0).T - entry.target[:, -6:]).mean())
        losses[name] = np.mean(errors)
    assert losses["with"] < 0.6 * min(losses["without"], losses["indicator"])


def test_a_backtest_takes_them_and_knows_one_run_from_another():
    data = sales()
    rows = backtest({"cold": build_model("cold-start", data.metadata)}, data, num_samples=10, quiet=True)
    assert rows["value"].notna().any()
    assert fingerprint(data) == fingerprint(sales()) != fingerprint(sales(texts=[]))
    other = TABLE.assign(brand=TABLE["brand"].mask(TABLE["sku"] == "hat", "Alm"))
    assert fingerprint(data) != fingerprint(sales(other))


def test_a_network_of_gluonts_reads_them_and_says_where_campaigns_to_come_are_missing():
    data = sales()
    settings = {"size": 4, "layers": 1, "train": {"max_epochs": 1, "batches_per_epoch": 2}}
    fitted = build_model("deepar", data.metadata, settings).train(data.train)
    assert next(iter(fitted.predict([data.history(-1)], num_samples=3))).samples.shape == (3, 6, 4)
    with pytest.raises(
        ValueError, match="dataset: expected feat_dynamic_real over history and horizon, to 2024-05-27, got"
    ):
        next(iter(fitted.predict([data.latest], num_samples=3)))


@pytest.mark.parametrize("name", ["var-responding", "analog", "gru-maf", "cross-fit"])
def test_a_stored_model_reads_a_later_table_by_its_own_encoding(name, tmp_path):
    short = {"gru-maf": 1, "cross-fit": 1}
    settings = {"train": {"max_epochs": short[name], "batches_per_epoch": 2}} if name in short else {}
    data = sales()
    build_model(name, data.metadata, settings).train(data.train).serialize(tmp_path / "model")
    fitted = load_predictor(tmp_path / "model")
    assert fitted.encoding == data.train[0].encoding
    # Next week: other frequencies of the campaigns, one that is new, and an article's brand that nobody knew.
    later = campaigns(seed=1, weeks=WEEKS[40:])
    later.loc[later["week"] == WEEKS[-1], "campaign"] = "cyber"
    later.loc[later["sku"] == "belt", "brand"] = "Newcomer"
    with pytest.warns(UserWarning, match="categories: ") as told:
        again = sales(later, encoding=fitted.encoding)
    assert [str(each.message).split(" is ")[0] for each in told] == ["categories: campaign", "categories: brand"]
    assert again.metadata.covariates == data.metadata.covariates
    assert again.train[0].static_cat.ravel().tolist()[:3] == data.train[0].static_cat.ravel().tolist()[:3]
    assert again.train[0].static_cat[3] == 0
    assert next(iter(fitted.predict([again.history(-1)], num_samples=4))).samples.shape == (4, 6, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sales(later)
    with pytest.raises(ValueError, match=r"dataset: expected categories and texts to be read as those of the training"):
        next(iter(fitted.predict([other.history(-1)], num_samples=4)))


def test_an_update_keeps_the_encoding_and_refuses_another():
    data = sales()
    fitted = build_model("var-responding", data.metadata).train(data.train)
    assert fitted.update([data.test[0]]).encoding == fitted.encoding
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sales(campaigns(seed=3).replace({"campaign": {"tv": "radio"}}))
    with pytest.raises(ValueError, match="training_data: expected categories and texts in one encoding, got several"):
        fitted.update(other.train)


def test_an_encoding_is_plain_data(tmp_path):
    data = sales()
    fitted = build_model("var-responding", data.metadata).train(data.train)
    fitted.serialize(tmp_path)
    written = json.loads((tmp_path / "gluonts-config.json").read_text())["encoding"]
    assert written["categories"][0]["column"] == "campaign"
    assert len(written["texts"][0]["weights"]) == 3
    assert load_predictor(tmp_path).encoding == fitted.encoding != Encoding()


def test_new_articles_are_judged_by_their_category():
    draw = np.random.default_rng(0)
    names = [f"article {number}" for number in range(24)]
    kinds = np.resize(["coat", "belt"], 24)
    rows = pd.MultiIndex.from_product([names, WEEKS[:60]], names=["sku", "week"]).to_frame(index=False)
    rows["kind"] = rows["sku"].map(dict(zip(names, kinds, strict=True)))
    level = np.where(rows["kind"] == "coat", 80, 8)
    rows["sold"] = draw.poisson(level).astype(float)
    rows.loc[rows["sku"].isin(names[-2:]) & (rows["week"] < WEEKS[54]), "sold"] = np.nan
    described = {**ARGUMENTS, "windows": 1, "unseen": "keep"}
    data = from_sales(rows, **described, categories=["kind"])
    model = build_model("cold-start", data.metadata)
    samples = next(iter(model.train(data.train).predict([data.history(0)], num_samples=100))).samples
    new = samples.mean((0, 1))[-2:]
    assert new[0] > 60
    assert new[1] < 16


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"categories": "campaign"}, "categories: expected a sequence of column names, got the string 'campaign'"),
        ({"categories": ["brnd"]}, "categories: .*'brnd'"),
        ({"categories": ["campaign"], "texts": ["campaign"]}, "texts: expected a column of one role, got 'campaign'"),
        ({"categories": ["sku"]}, "categories: expected a column of one role, got 'sku'"),
        ({"categories": ["sold"]}, "categories: expected a column of one role, got 'sold'"),
        ({"categories": ["words"]}, "categories: expected few levels in 'words', got 480 different ones in 480 rows"),
        ({"categories": ["cells"]}, "'cells': expected text, got list in row 0"),
        ({"encoding": Encoding()}, "encoding: expected categories and texts none as in training, got brand, campaign"),
    ],
)
def test_what_is_no_column_of_words_is_refused_in_one_line(given, match):
    table = TABLE.assign(words=[f"words {row}" for row in TABLE.index])
    table["cells"] = [["a"]] * len(table)
    with pytest.raises(ValueError, match=match) as error:
        sales(table, **given)
    assert "\n" not in str(error.value)


def test_an_article_whose_category_was_one_in_training_has_no_two_later():
    data = sales()
    changed = TABLE.assign(brand=TABLE["brand"].mask(TABLE["week"] > WEEKS[100], "Alm"))
    with pytest.raises(
        ValueError, match=r"categories: expected one 'brand' in all rows of an item, .*'North' and 'Alm'"
    ):
        sales(changed, encoding=data.train[0].encoding)


def test_a_file_and_the_command_line_take_them(tmp_path):
    from hemline.cli import mount, run

    TABLE.to_csv(tmp_path / "sales.csv", index=False)
    described = (
        'table = "sales.csv"\narticle = "sku"\ndate = "week"\nunits = "sold"\nprediction_length = 6\nwindows = 2\n'
        'categories = ["campaign", "brand"]\ntexts = ["title"]\n'
    )
    (tmp_path / "shop.toml").write_text(described)
    named = get_dataset(str(tmp_path / "shop.toml"))
    assert named.metadata.covariates == sales().metadata.covariates
    assert named.train[0].encoding == sales().train[0].encoding
    mount()
    model, out = str(tmp_path / "model"), tmp_path / "next.csv"
    data = ["--dataset", str(tmp_path / "shop.toml")]
    assert run(["train", *data, "--model", "var-responding", "--out", model]) == 0
    later = TABLE.copy()
    later.loc[later["week"] == WEEKS[-1], "campaign"] = "cyber"
    later.to_csv(tmp_path / "sales.csv", index=False)
    with pytest.warns(UserWarning, match="campaign is 'cyber' in 4 rows"):
        assert run(["forecast", "--predictor", model, *data, "--window", "1", "--out", str(out)]) == 0
    with pytest.warns(UserWarning, match="campaign is 'cyber' in 4 rows"):
        assert run(["train", "--from", model, "--whole"]) == 0
    assert len(pd.read_csv(out)) == 24
