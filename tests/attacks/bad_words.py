"""Bad words of a command: no commands, no options, no numbers, no names, no places."""

from __future__ import annotations

from collections.abc import Iterator

from bad_inputs import LONG, NUL, SALES, VALID, Bad, bad, spoiled

TEXTS = ("", "nope", "../x", "a\nb", "\x01", "é" * 300)
WHOLE = ("", "x", "8.9", "-1", "1e30", "nan", "inf", "0x10", "1,5")
SHARES = ("", "x", "nan", "inf", "-1", "1e400", "1,5")

LEAST = {
    "train": {"seed": 0, "epochs": 1},
    "forecast": {"num-samples": 1},
    "simulate": {"paths": 1, "seed": 0},
    "order": {"paths": 1, "seed": 0, "lead-time": 0},
    "plan": {"paths": 2, "seed": 0, "changes": 0},
    "backtest": {"num-samples": 1, "refit-every": 1, "history": 1, "seeds": 1},
    "grid": {"workers": 1},
    "data": {"series": 0},
    "shop": {"articles": 1, "stores": 1, "weeks": 1, "seed": 0},
    "classify": {"epochs": 1, "batch-size": 1, "size": 1, "channels": 1, "hidden": 0, "widths": 1}
    | {"max-images": 1, "split-seed": 0, "seed": 0},
    "annotate": {"epochs": 1, "batch-size": 1, "min-count": 1, "seed": 0},
    "bleu": {"beams": 1, "examples": 0},
    "caption": {"beams": 1},
    "embed": {"pca": 1},
}
"""Whole numbers of commands, and the smallest that each takes."""

NEEDED = {
    "train": "dataset model out",
    "forecast": "predictor dataset out",
    "simulate": "predictor articles out set",
    "order": "predictor dataset out stock service-level",
    "plan": "predictor dataset out stock ladder",
    "backtest": "dataset models out",
    "classify": "data checkpoint",
    "judge": "data checkpoint",
    "plot": "data checkpoint",
    "annotate": "data checkpoint",
    "embed": "data out",
}


def no_such_words() -> Iterator[Bad]:
    """Words that are no command, options that are none, and options that are left out."""
    for words in ("nope", "Train", "vision nope", "vision classify nope", "data nope", "models nope"):
        yield bad(words, words.split()[-1])
    for words in VALID.values():
        yield bad(f"{words} --nope", "--nope")
        yield bad(f"{words} --nope=3", "--nope")
        yield bad(f"{words} --{'out' if '--out' in words else 'debugg'}", "--out", "--debugg")
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option, "encoder, backbone")


def numbers_of_options() -> Iterator[Bad]:
    """Texts that are no number, and numbers that are too small, too large or not whole."""
    for name, options in LEAST.items():
        for option, least in options.items():
            lists = option in ("widths", "seeds")
            yield from spoiled(name, option, [*WHOLE[: -1 if lists else None], *(["0"] if least else [])])
    shares = ["dropout", "input-dropout", "mirror", "crop", "smoothing", "validation", "test"]
    for option in (*shares, "lr", "layer-decay", "class-beta", "weight-decay"):
        yield from spoiled("classify", option, [*SHARES, *(["1.5"] if option in shares else [])])
    yield from spoiled("classify", "colours", ("", "nope", LONG), "colour", "nope")
    yield from spoiled("classify", "titles", ("", "binary.toml", LONG, NUL), "titles")
    yield bad([*VALID["classify"].split(), "--depths"], "depths")
    for name in ("classify", "annotate"):
        yield from spoiled(name, "lr", (*SHARES, "0"))
    yield from spoiled("annotate", "tuning-lr", (*SHARES, "0"), "finetune_lr")
    yield from spoiled("annotate", "tuning-epochs", (*WHOLE, "0", "2"), "tuning_epochs")
    for option in ("service-level", "budget", "capacity"):
        yield from spoiled("order", option, [*SHARES, *(["0", "1", "95"] if option == "service-level" else [])])
    yield from spoiled("order", "lead-time", ("8", "99"))
    for name, option in {
        "forecast": "num-samples",
        "simulate": "paths",
        "order": "paths",
        "backtest": "num-samples",
        "plan": "paths",
    }.items():
        yield from spoiled(name, option, ("1000000000", "1000000000000"), "num_samples")
    for option in ("margin", "budget", "clear"):
        yield from spoiled("plan", option, [*SHARES, *([] if option == "budget" else ["1.5", "95"])], "unit_cost")
    yield from spoiled(
        "plan", "ladder", ("", "x", "1,x", "1;0.8", "0", "-1,0.5", "1.2,1", "1,0.8,0.9", "1,1", "nan", "1,inf")
    )
    for name in ("forecast", "simulate", "order", "plan"):
        yield from spoiled(name, "window", ("", "x", "8.9", "3", "99", "-99"))


def choices_of_options() -> Iterator[Bad]:
    """Words that an option does not know."""
    for name, options in {
        "classify": "device precision pooling class-weights task",
        "annotate": "device",
        "judge": "device",
        "predict": "device",
        "embed": "device",
        "table": "format metric wins",
        "train": "model",
        "backtest": "models",
        "forecast": "device",
        "simulate": "articles device",
        "order": "unmet",
        "plan": "objective",
    }.items():
        for option in options.split():
            yield from spoiled(name, option, ("", "nope", "a\nb", "CPUS"), "got 'nope'", r"got 'a\nb'", "got 'CPUS'")
    for name in ("classify", "annotate", "judge", "predict", "embed", "forecast", "simulate"):
        yield from spoiled(name, "device", ("gpu", "mps", "cuda:99"))


def names() -> Iterator[Bad]:
    """Names of nothing."""
    for name in ("describe", "train", "forecast", "simulate", "order", "plan", "backtest"):
        files = ("nope.toml", "bt", "sales.csv", "binary.toml", "empty.toml", "deep.toml")
        yield from spoiled(name, "dataset", (*TEXTS, *files), "name: expected", "nope.toml", *files)
    words = ("a:b:c", ":", "x:", ":x", "os:system", "json:JSONDecoder", "gluonts:nope", "nope:Nope", LONG, "", "nope")
    for value in words:
        yield bad(["models", "describe", value], value or "models", "models")
        yield from spoiled("train", "model", (value,), value or "model")
        yield from spoiled("backtest", "models", (value,))
    for value in ("nope", "../x", "", LONG):
        yield bad(["data", "fetch", value], "name")
        yield bad(["data", "describe", value], "describe")
    for option, values in {
        "timestamp": ("nope", "units"),
        "item": ("nope",),
        "target": ("nope", "", "article"),
        "freq": ("nope", "0D", "-1D", "D"),
    }.items():
        yield from spoiled("data", option, values, "units", "nope", "sales.csv")
    for value in ("nope", "nope.png", "empty", "binary.toml", NUL, LONG):
        yield bad(["vision", "classify", "predict", value, "--checkpoint", "tasks"], value[:40].partition("\0")[0])
        yield bad(["vision", "annotate", "predict", value, "--checkpoint", "titles"], value[:40].partition("\0")[0])
    yield bad(f"{VALID['train']} --model last-value", "model", "SeasonalNaivePredictor")
    yield bad(f"{VALID['train']} --out gru", "gru")


def places() -> Iterator[Bad]:
    """Places that are not there, or hold something else."""
    for name, options in {
        "train": "config",
        "backtest": "config",
        "simulate": "scenario predictor",
        "forecast": "predictor",
        "order": "predictor stock",
        "plan": "predictor stock",
        "classify": "data",
        "judge": "data checkpoint",
        "plot": "checkpoint",
        "predict": "checkpoint",
        "annotate": "encoder data",
        "bleu": "checkpoint",
        "caption": "checkpoint",
        "embed": "checkpoint data",
    }.items():
        for option in options.split():
            nothing = [] if option == "config" else ["empty.toml"]  # which changes no setting
            values = ("nope", "binary.toml", "empty", "bt", LONG, NUL, *nothing)
            yield from spoiled(name, option, values, *values[:4], "empty.toml", "nul", LONG[:40])
    for value in ("nope", "binary.toml", "empty.toml", "empty", LONG, NUL):
        yield bad(["table", "--run", value], "run", value)
    for name, option in {
        "train": "out",
        "simulate": "out",
        "order": "out",
        "plan": "out",
        "backtest": "out",
        "classify": "checkpoint",
        "annotate": "checkpoint",
    }.items():
        yield from spoiled(name, option, ("sales.csv", "sales.csv/below", LONG, NUL))
    yield from spoiled("forecast", "out", ("bt", "new.txt", "new", "sales.csv/new.csv", f"{LONG}.csv", "nul\0.csv"))
    yield from spoiled("embed", "out", ("bt", "sales.csv/new.parquet", LONG, NUL, ""))
    yield from spoiled("predict", "out", ("bt", "new.txt", "sales.csv/new.csv", f"{LONG}.csv", "nul\0.csv", ""))
    yield from spoiled("report", "out", ("bt", "sales.csv/new.html", LONG, NUL))
    for value in ("sales.csv", "sales.csv/below", LONG, NUL):
        yield bad(["data", "shop", value], "folder")
    for value in ("nope", "sales.csv", "empty", "gru", LONG, NUL, ""):
        yield bad(["table", value], "folder", value or "folder")
        yield bad(["report", value], "folder", value or "folder")
    for words in ("", "bt --run grid.toml", "bt --workers 2", "bt --ray", "bt --address x"):
        yield bad(f"table {words}", "folder", "workers", "ray", "address")
    for name in ("embed", "annotate"):
        yield bad(f"{VALID[name]} --backbone small-cnn", "backbone")
    yield bad(f"table --run grid.toml {SALES}", "--dataset")


def scenarios_of_options() -> Iterator[Bad]:
    """Changes, questions and pairs of articles."""
    simulate = VALID["simulate"].split()
    at = simulate.index("--set") + 1
    coat = "price[dress_1]"
    for text in (
        *("", "nope", "drop", "drop nope", "sales = 0", "sales[dress_1] = -1", "nope[dress_1] = 1", "price[nope] = 1"),
        *(coat, f"{coat} =", f"{coat} = x", f"{coat} = 1e999", f"{coat} = -200%", f"{coat} = 0"),
        *(f"{coat} = -20% @ 0", f"{coat} = -20% @ 4:2", f"{coat} = -20% @ 1:99", f"{coat} = 1 @ {'9' * 5000}"),
        "promo[dress_1] = 7",
    ):
        words = [*simulate[:at], text, *simulate[at + 1 :]]
        yield bad(words, "set", "change", "price", "promo", "sales", "steps", "value", "nope")
    units = "units[dress_1]"
    for text in (
        *("", "nope", "CPUS", "a\nb", "units[nope] < 1", "__import__('os')", f"{units} " * 500, units, f"{units} <"),
        *(f"{units} < x", f"{units} < 1 @ 99", f"{units} < 5 < 6"),
    ):
        yield from spoiled("simulate", "ask", (text,), "condition", "steps", "units")
    yield from spoiled("simulate", "articles", ("a", "dress_1", "dress_1,dress_1", "dress_1,nope", ",", "a,b,c"))
