"""Bad files: settings, descriptions, tables, grids and scenarios of wrong kinds, and what commands wrote, broken."""

from __future__ import annotations

from collections.abc import Iterator

from bad_inputs import BINARY, CLASSIFY, DEEP, PAIR, SALES, VALID, Bad, bad, described, laying, wrong

NO_TOML = ("a = ", "a = 1\na = 2", "[train", "\xff", "\0", "a = 1e", "= 3", DEEP)

ITEMS = [f"{style}_{number}" for style in ("dress", "coat", "shirt", "jeans", "knit") for number in range(1, 5)]
"""The articles of `simulated_sales`."""

TRAINING = {
    **dict.fromkeys(["max_epochs", "batches_per_epoch", "patience"], (10**30,)),  # no error, but a long wait
    **dict.fromkeys(["batch_size", "schedule", "validation_span", "seed", "nope"], ()),
    **dict.fromkeys(["weight_decay", "gradient_clip", "learning_rate"], (8.9, 10**30)),
    "context_loss": (True,),
    "compile": (True,),
    "trainer": (dict,),
}
"""Options of a training, and which kinds of values are right or do not end soon."""

NO_COUNT = ("x", 0, -1, 8.9, True, [], {})

SETTINGS = {
    "gru-maf": {
        "scaling": ("level", 3, True, []),
        "scaling.of": ("x", 3, []),
        "scaling.lag": NO_COUNT,
        "scaling.prior": ("x", -1, [], float("nan")),
        "scaling.domain": ("x", 3, []),
        "context_length": NO_COUNT,
        "lags": ("x", 0, [0], [-1], ["x"], [8.9], {}, [10**30]),
        "encoder": ("gru", 3, []),
        "encoder.size": (*NO_COUNT, 10**30),
        "encoder.cell": ("x", 3, []),
        "encoder.layers": NO_COUNT,
        "encoder.dropout": ("x", -1, 1.5, []),
        "head": ("maf", 3, []),
        "head.blocks": NO_COUNT,
        "head.hidden": NO_COUNT,
        "train": ("x", 3, []),
        "response": ("x", 3, []),
        "prediction_length": NO_COUNT,
        "freq": ("x", 3, ""),
    },
    "cross-fit": {"folds": NO_COUNT},
    "analog": {"model.origins": NO_COUNT, "model": ("x", 3, [])},
    "deepar": {"size": NO_COUNT, "layers": NO_COUNT, "dropout": ("x", -1, 1.5), "train": ("x", 3, [])},
    "var-responding": {"response": ("x", 3, [])},
    "pool": {"models": ("x", 3, []), "windows": NO_COUNT},
    "sales-maf-ensemble": {"members": NO_COUNT},
    "timegrad": {"head.steps": NO_COUNT},
    "gluonts.torch:PatchTSTEstimator": {"patch_len": ("x",), "nope": (1,)},
}

TRAINERS = (
    *('accelerator = "gpu"', 'accelerator = "tpu"', 'accelerator = "x"', "devices = 0", 'devices = "x"', "nope = 1"),
    *('precision = "x"', 'strategy = "x"', 'max_epochs = "x"'),
)


def settings_of_models() -> Iterator[Bad]:
    """Settings of models: unknown ones, and those of the wrong kind."""
    short = {"max_epochs": 1, "batches_per_epoch": 1}
    for key, right in TRAINING.items():
        for value in wrong(*right):
            yield bad(VALID["train"], key, short_toml="[train]\n" + described({**short, key: value}))
    for model, settings in SETTINGS.items():
        for key, values in settings.items():
            for value in values:
                words = f"train {SALES} --model {model} --config own.toml --out new"
                yield bad(words, key.rpartition(".")[2], own_toml=described({key: value}))
    for option in TRAINERS:
        text = f"train = {{ max_epochs = 1, batches_per_epoch = 2, trainer = {{ {option} }} }}"
        yield bad(VALID["train"], option.split()[0], short_toml=text)
    for text in NO_TOML:
        yield bad(VALID["train"], "config", short_toml=text)
        yield bad(f"{VALID['backtest']} --config own.toml", "config", own_toml=text)
    for text in ("last-value = 3", "other = {}", "nope.x = 3", *(f"[last-value]\n{key}" for key in BAD_NAIVE)):
        yield bad(f"{VALID['backtest']} --config own.toml", "config", "nope", "length", own_toml=text)


BAD_NAIVE = ("nope = 3", 'prediction_length = "x"', "season_length = 0", "season_length = 8.9")

SHOP_TABLE = {"table": "sales.csv", "article": "article", "date": "week", "units": "units"}
SIZES = {"prediction_length": 2, "windows": 1}
WIDE = {"table": "wide.csv", "timestamp": "week", **SIZES}
TEXT_KEYS = "table article date units freq store price level domain missing_rows unseen vectors nope"


def descriptions_of_tables() -> Iterator[Bad]:
    """TOML files that describe a table of one's own."""
    words = "data describe own.toml"
    for base, keys in (
        ({**SHOP_TABLE, **SIZES}, f"{TEXT_KEYS} covariates categories texts"),
        (WIDE, "timestamp target item freq domain shared_covariates past_covariates categories texts encoding"),
    ):
        for key in keys.split():
            right = ([],) if key.endswith(("covariates", "categories", "texts")) or key == "target" else ()
            for value in wrong(*right):
                yield bad(words, key, own_toml=described({**base, key: value}))
        for key, right in {"windows": (0,), "prediction_length": (), "season": (10**9, 10**30)}.items():
            for value in {*(0, 10**9, 10**30, -1), *("x", 8.9, True, "")} - set(right):
                yield bad(words, key, "windows", own_toml=described({**base, key: value}))
        for key in set(base) - {"windows"}:
            yield bad(words, key, own_toml=described({name: base[name] for name in base if name != key}))
    for text in ("", *NO_TOML):
        yield bad(words, "own.toml", own_toml=text)
    rows = "week,article,units,title\n" + "".join(f"2024-01-{day:02d},a,{day},t{day}\n" for day in range(1, 20))
    for given in ({"categories": ["units"]}, {"texts": ["article"]}, {"categories": ["title"], "texts": ["title"]}):
        own = {**SHOP_TABLE, "table": "own.csv", **SIZES, **given}
        yield bad(words, next(reversed(given)), own_toml=described(own), own_csv=rows)


HEAD = "week,article,units\n"
GOOD = "".join(f"2024-01-{day:02d},a,{day}\n" for day in range(1, 20))
NO_TABLES = (
    *(
        "",
        "\n\n",
        "week\n",
        HEAD,
        "week;article;units\n2024-01-01;a;1\n",
        "week,week,units\n" + GOOD,
        "\0" * 50,
        BINARY,
    ),
    *(
        f"{HEAD}{row}\n{GOOD}"
        for row in ("2024-01-01,a,one", "2024-01-01,a,inf", "someday,a,1", ",a,1", "2024-01-01,,1")
    ),
    *(f"{HEAD}{row}\n" for row in ("2024-01-01,a\n2024-01-02,a,1,2", "2024-01-01,a,1,", "9999999-01-01,a,1")),
    *(
        HEAD + GOOD + GOOD,
        HEAD.encode("utf-16"),
        HEAD.encode() + b"2024-01-01,\xff\xfe,1\n",
        HEAD + '2024-01-01,"a,1\n',
    ),
    "week,article,units" + ",x" * 10_000 + "\n1",
)


def tables() -> Iterator[Bad]:
    """CSV and Parquet files that are none, or hold what no table of sales holds."""
    describe = "data describe own.{} --timestamp week --item article --target units"
    for content in NO_TABLES:
        own = described({**SHOP_TABLE, **SIZES, "table": "own.csv"})
        yield bad(describe.format("csv"), "week", "article", "units", own_csv=content)
        yield bad("data describe own.toml", "week", "article", "units", own_csv=content, own_toml=own)
    for content in (b"", b"PAR1", BINARY, b"PAR1" + b"\0" * 50 + b"PAR1"):
        yield bad(describe.format("parquet"), own_parquet=content)
        yield laying(describe.format("csv.gz"), {"own.csv.gz": content})
        for key in ("table", "vectors"):
            own = described({**SHOP_TABLE, **SIZES, key: "own.parquet"})
            yield bad("data describe own.toml", own_parquet=content, own_toml=own)
    for content in (
        b"",
        BINARY,
        "article\ndress_1\n",
        *(f"article,stock\ndress_1,{value}\n" for value in ("", "x", "9")),
    ):
        for name in ("order", "plan"):
            yield bad(f"{VALID[name]} --stock own.csv", "stock", own_csv=content)
    header = "article,stock,price,returns,left\n"
    for broken in ("-3,9,0,0", "3,0,0,0", "3,-9,0,0", "3,9,1,0", "3,9,-0.1,0", "3,9,0,inf", "nan,9,0,0"):
        rows = "".join(f"{item},3,9,0,0\n" for item in ITEMS[1:])
        told = ("stock", "price", "returns", "left")
        yield bad(f"{VALID['plan']} --stock own.csv", *told, own_csv=f"{header}{ITEMS[0]},{broken}\n{rows}")


GRID = {"out": "new", "datasets": ["simulated_sales"], "models": ["last-value"], "num_samples": 5}
GRID_KEYS = {
    **dict.fromkeys(
        ["models", "windows", "num_samples", "refit_every", "history", "metrics", "workers", "threads", "nope"], ()
    ),
    **dict.fromkeys(["seeds", "retries"], (10**30,)),
    **dict.fromkeys(["on", "settings"], (dict,)),
    "out": ("x",),
    "datasets": (["x"],),
    "time_budget": (8.9, 10**30),
}
BAD_GRIDS = (
    *('[on."nope"]\nseeds = 3', '[on."simulated_sales"]\nnope = 3', "[settings.nope]\nx = 1"),
    *("[settings]\nlast-value = 3", '[on."simulated_sales"]\nwithout = ["last-value"]', "seeds = 0", "seeds = [0, 0]"),
    *("seeds = [-1]", "windows = 0", "metrics = []", "workers = 0", "threads = 0", "history = 0"),
    *("time_budget = 0", "threads = 2000", 'models = ["nope"]', 'models = ["last-value", "last-value"]'),
)


def grids() -> Iterator[Bad]:
    """TOML files of grids."""
    for key, right in GRID_KEYS.items():
        for value in wrong(*right):
            yield bad(VALID["grid"], key, grid_toml=described({**GRID, key: value}))
    for key in ("out", "datasets", "models"):
        yield bad(VALID["grid"], key, grid_toml=described({name: GRID[name] for name in GRID if name != key}))
    for text in BAD_GRIDS:
        base = {name: value for name, value in GRID.items() if not text.startswith(name)}
        yield bad(VALID["grid"], text.split()[0], grid_toml=described(base) + text)
    for text in NO_TOML:
        yield bad(VALID["grid"], grid_toml=text)


BAD_SCENARIOS = (
    *(
        "",
        "x = 1",
        "scenario = 3",
        "scenario = [3]",
        "[scenario]\nname = 'a'",
        "[[scenario]]",
        "[[scenario]]\nname = 'a'",
    ),
    *(
        f"[[scenario]]\nname = {name}\nchanges = {changes}\n"
        for name, changes in (("3", "[]"), ("'a'", "3"), ("'a'", "[3]"), ("''", "[]"), ("'baseline'", "[]"))
    ),
    *(f"[[scenario]]\nname = 'a'\nchanges = ['{change}']" for change in ("nope", "price[nope] = 1", "drop nope")),
    "[[scenario]]\nname = 'a'\nchanges = []\n" * 2,
)


def scenarios() -> Iterator[Bad]:
    """TOML files of scenarios."""
    for text in (*BAD_SCENARIOS, *NO_TOML):
        yield bad(f"simulate --predictor gru --scenario own.toml {PAIR}", "scenario", "nope", "name", own_toml=text)


SHOP = {"table": "shop.jsonl", "photos": "photos", "item_id": "id", "images": "photos", "labels": ["colour", "shape"]}
NO_ARTICLES = (
    *("", "{", "[]", "3", "null", "NaN", '{"id": 1}', '{"id": "a"}\n{"id": "a"}', '{"id": "a", "photos": 3}'),
    *('{"id": "a", "photos": ["a.png"], "colour": {}}', DEEP, BINARY),
)


def descriptions_of_shops() -> Iterator[Bad]:
    """TOML files that describe photos, and tables of articles."""
    words = f"vision classify train --data own.toml {CLASSIFY}"
    for key in [
        "table",
        "photos",
        "item_id",
        "images",
        "labels",
        "facets",
        "order",
        "text",
        "side",
        "separator",
        "missing",
        "nope",
    ]:
        right = {"facets": ([],), "order": (dict,), "missing": (list,), "separator": ("x",)}.get(key, ())
        for value in wrong(*right):
            yield bad(words, key, "labels", own_toml=described({**SHOP, key: value}))
    for content in NO_ARTICLES:
        own = described({**SHOP, "table": "own.jsonl"})
        yield bad(words, "colour", "shape", "photos", own_jsonl=content, own_toml=own)
    for content in ("", "id\n", "id,photos\n1", "\0", BINARY):
        own = described({**SHOP, "table": "own.csv"})
        yield bad(words, "colour", "shape", own_csv=content, own_toml=own)


def broken(folder: str, name: str) -> Iterator[dict[str, bytes | str | None]]:
    """What can have happened to a file."""
    contents: list[bytes | str | None] = [None, b"", BINARY]
    if name.endswith(".json"):
        contents += ["{", "[]", "3", "null", '"x"', "{}", DEEP, b'{"a": 1' + b"0" * 10_000 + b"}"]
    if name.endswith(".safetensors"):
        contents += [b"\xff" * 8 + b"x" * 50, (2).to_bytes(8, "little") + b"{}"]
    for content in contents:
        yield {f"{folder}/{name}": content}


PREDICTORS = {
    "gru": "predictor.json weights.safetensors gluonts-config.json",
    "grouped": "grouped.json gluonts-config.json univariate/gluonts-config.json univariate/predictor.json "
    "univariate/prediction-net-state.pt",
    "analog": "responding.json response.json response.safetensors predictor/predictor.json",
}


def broken_predictors() -> Iterator[Bad]:
    """Folders of predictors, and checkpoints, that are not what they should be."""
    for folder, names in PREDICTORS.items():
        for name in names.split():
            for files in broken(folder, name):
                yield laying(VALID["forecast"].replace("gru", folder), files, folder)
    for files in broken("gru", "dataset.json"):
        yield laying(VALID["simulate"], files, "gru", "dataset")
    for content in (b"", BINARY, b"PK\x03\x04", b"x" * 1000):
        yield laying(VALID["train"], {"new/checkpoints/last.ckpt": content}, "checkpoint")


def broken_backtests() -> Iterator[Bad]:
    """Folders of backtests with files that are not what they should be."""
    for content in ("", "{", "[]", "3", "null", DEEP, BINARY):
        yield laying("table broken", {"broken/runs/abc/run.json": content}, "broken")
        yield laying("report broken --out new.html", {"broken/runs/abc/run.json": content}, "broken")


PICTURES = {
    "predict": ("tasks", "model.safetensors model.json"),
    "caption": ("titles", "captioner.safetensors captioner.json encoder.safetensors"),
    "judge": ("tasks", "split.json model.json"),
    "embed": ("tasks", "split.json"),
}


def broken_picture_runs() -> Iterator[Bad]:
    """Folders of classifiers and captioners with a file that is not what it should be."""
    for word, (folder, names) in PICTURES.items():
        for name in names.split():
            for files in broken(folder, name):
                yield laying(VALID[word], files, folder)
