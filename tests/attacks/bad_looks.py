"""Bad inputs of what looks alike, of boxes on photos, and of a search for settings."""

from __future__ import annotations

from collections.abc import Iterator

from bad_files import NO_TOML, broken
from bad_inputs import BINARY, DEEP, LONG, NUL, VALID, Bad, bad, laying, spoiled, wrong
from bad_words import SHARES, WHOLE

LEAST = {
    "index": {"axes": 1},
    "refine": {"steps": 1, "seed": 0},
    "duplicates": {"bits": 0},
    "similar": {"top": 1},
    "sort": {"top": 1},
    "locate": {"steps": 1, "seed": 0},
    "tune": {"trials": 1, "windows": 1, "num-samples": 1, "seed": 0, "workers": 1},
}
NEEDED = {
    "index": "data index",
    "grow": "data index",
    "remove": "index",
    "refine": "index out",
    "duplicates": "index",
    "similar": "index",
    "sort": "data by",
    "sort-alike": "index",
    "crop": "out",
    "locate": "boxes checkpoint",
    "tune": "dataset model out",
}
READ = {
    "index": "data checkpoint locator",
    "grow": "data index",
    "remove": "index",
    "refine": "index triplets",
    "duplicates": "index",
    "similar": "index",
    "sort": "data checkpoint",
    "sort-alike": "index",
    "crop": "checkpoint",
    "locate": "boxes",
    "tune": "dataset space",
}
FILES = ("boxes", "triplets", "space")


def words_of_looks() -> Iterator[Bad]:
    """Options that are left out, numbers that are none, places that are not there or hold something else."""
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option)
    for name, options in LEAST.items():
        for option, least in options.items():
            yield from spoiled(name, option, [*WHOLE, *(["0"] if least else [])])
    for name in ("refine", "similar", "sort-alike"):
        yield from spoiled(name, "colours", SHARES)
    for name in ("similar", "sort-alike"):
        yield from spoiled(name, "words-weight", (*SHARES, "0"))
        yield from spoiled(name, "words", ("", " ", "never", NUL), "words")
    yield from spoiled("sort", "by", ("", "nope", "colour", "colour=", "=red", "nope=x", "colour=nope", "a\nb=c", LONG))
    yield from spoiled("sort", "device", ("", "nope", "cuda:99"))
    for option in ("--index looks", "--like i3", "--words red", "--unlike i3", "--text-network nope"):
        yield bad(f"{VALID['sort']} {option}", "index", "by, like, words", "unlike", "text_network")
    for option in ("--data shop.toml", "--checkpoint tasks", "--by colour=red", "--like nope", "--unlike nope"):
        yield bad(f"{VALID['sort-alike']} {option}", "data", "checkpoint", "by, like, words", "like")
    yield from spoiled("duplicates", "bits", ("65",))
    yield from spoiled("duplicates", "similarity", ("", "x", "nan"))
    for name, options in READ.items():
        for option in options.split():
            values = ("nope", "binary.toml", LONG, NUL, *(["empty", "bt"] if option not in FILES else ["photos"]))
            if option == "checkpoint" and name == "index":
                words = VALID[name].replace("--backbone small-cnn", "--checkpoint nope")
                yield bad(words, "checkpoint")
            else:
                yield from spoiled(name, option, values, *values[:2], "empty", "bt", "photos", "nul", LONG[:40])
    for name, option in {
        "index": "index",
        "refine": "out",
        "crop": "out",
        "locate": "checkpoint",
        "tune": "out",
    }.items():
        yield from spoiled(name, option, ("sales.csv", "sales.csv/below", LONG, NUL, ""))
    for name in ("sort", "sort-alike"):
        yield from spoiled(name, "out", ("bt", "new.txt", "new", "sales.csv/new.csv", f"{LONG}.csv", "nul\0.csv", ""))
        yield from spoiled(
            name, "page", ("bt.html/", "new.txt", "sales.csv/new.html", f"{LONG}.html", "nul\0.html", "")
        )
    yield from spoiled("duplicates", "out", ("bt", "sales.csv/new.csv", LONG, NUL, ""))
    yield from spoiled(
        "similar", "out", ("bt.html/", "new.txt", "sales.csv/new.html", f"{LONG}.html", "nul\0.html", "")
    )
    for name in ("index", "refine"):
        yield bad(f"{VALID[name]} --{'index' if name == 'index' else 'out'} looks", "index")
    yield from spoiled("index", "backbone", ("../x", "", LONG, NUL, "a\nb", "os:system"), "backbone", "../x")


def photos_and_items() -> Iterator[Bad]:
    """Photos, articles, columns and labels that are none."""
    for value in (
        "nope",
        "nope.png",
        "photos",
        "binary.toml",
        "empty",
        "sales.csv",
        "",
        LONG,
        NUL,
        "http://127.0.0.1:9/a.png",
    ):
        for words in (["vision", "similar", value], [*VALID["similar"].split(), "--unlike", value]):
            yield bad([*words, "--index", "looks"], "like", value[:40].partition("\0")[0] or "like")
        if value != "photos":  # a folder of photos is cut
            yield bad(
                ["vision", "locate", "crop", value, "--out", "new"], "path", value[:40].partition("\0")[0] or "path"
            )
        yield bad(["vision", "index", "remove", value, "--index", "looks"], "item")
    yield bad(["vision", "index", "remove", *(f"i{number}" for number in range(24)), "--index", "looks"], "item_ids")
    yield bad("vision locate crop photos/0.png photos/0.png --out new", "path")
    yield bad("vision similar --index looks", "like: expected photos, items or words")
    for name in ("similar", "sort", "sort-alike"):
        yield from spoiled(name, "where", ("", "nope", "colour", "colour=", "=red", "nope=x", "colour=nope", "a\nb=c"))
    yield from spoiled("similar", "top", ("25", "1000000"), "k: expected")
    yield from spoiled("refine", "by", ("", "nope", "a\nb"), "by")
    yield bad("vision index add --data shop.toml --index looks", "item_ids")


INDEX = ("index.json", "rows.parquet", "rows.safetensors", "maker.safetensors")


def broken_indexes() -> Iterator[Bad]:
    """Indexes with a file that is not what it should be."""
    for file in INDEX:
        for files in broken("looks", file):
            yield laying(VALID["similar"], files, "looks")
            if file != "maker.safetensors":  # which those that only compare do not read
                yield laying(VALID["duplicates"], files, "looks")
                yield laying(VALID["remove"], files, "looks")
    told = {"described": {"backbone": "small-cnn"}, "maker": "maker.safetensors", "encoder": "x", "parts": {"shape": 4}}
    for key in (*told, "segments"):
        whole = {**told, "segments": [{"name": "rows", "rows": 24, "gone": []}]}
        for value in wrong():
            yield laying(VALID["similar"], {"looks/index.json": described_json({**whole, key: value})}, "looks")
        del whole[key]
        yield laying(VALID["similar"], {"looks/index.json": described_json(whole)}, "looks")


def described_json(values: object) -> str:
    """JSON, NaN among it."""
    import json

    return json.dumps(values)


HEAD = "photo,left,top,right,bottom\n"
NO_BOXES = (
    *("", "\n", HEAD, "photo\nphotos/0.png\n", BINARY, DEEP, "\0" * 50),
    *(
        f"{HEAD}photos/0.png,{box}\n"
        for box in (
            "",
            "1,1,1,1",
            "5,5,2,2",
            "0,0,99,99",
            "-1,0,5,5",
            "a,b,c,d",
            "nan,0,5,5",
            "1,1,inf,5",
            "1,1,5",
            "1e400,1,5,5",
        )
    ),
    *(f"{HEAD}{photo},1,1,5,5\n" for photo in ("nope.png", "", "photos", "binary.toml", "http://127.0.0.1:9/a.png")),
)
NO_TRIPLETS = (
    *("", "\n", "anchor,positive,negative\n", "a,b,c\ni0,i1,i2\n", BINARY, "\0" * 50),
    *(f"anchor,positive,negative\n{row}\n" for row in ("i0,i1", "i0,i1,nope", "i0,,i2", "i0,i0,i0", "i0,i1,i2,i3")),
)


def boxes_and_triplets() -> Iterator[Bad]:
    """Tables of boxes and of triplets that are none."""
    for content in NO_BOXES:
        yield bad(VALID["locate"].replace("boxes.csv", "own.csv"), "boxes", "photo", own_csv=content)
    for content in NO_TRIPLETS:
        yield bad(f"{VALID['refine']} --triplets own.csv", "triplet", own_csv=content)


NO_SPACES = (
    *(
        "",
        "max_lags = 3",
        "max_lags = []",
        "max_lags = [1]",
        "max_lags = [1, 1]",
        "max_lags = ['x', 'y']",
        "nope = [1, 2]",
    ),
    *(
        "max_lags = [0, 1]",
        "seed = [1, 2]",
        "freq = ['D', 'W']",
        "max_lags = { low = 1 }",
        "max_lags = { low = 2, high = 1 }",
    ),
    *(f"max_lags = {{ low = 1, high = 2, {rest} }}" for rest in ("nope = 3", "step = 0", "step = nan", "log = 3")),
    *("max_lags = { low = 0, high = 2, log = true }", "max_lags = { low = nan, high = inf }", *NO_TOML),
)


def searches() -> Iterator[Bad]:
    """Spaces that are none, and what lies in the folder of a search."""
    for text in NO_SPACES:
        yield bad(VALID["tune"], "space", space_toml=text)
    for metric in ("", "nope", "coverage_90", "a\nb"):
        yield from spoiled("tune", "metric", (metric,))
    for model in ("nope", "", "last-value", "os:system"):
        yield from spoiled("tune", "model", (model,), "space")
    yield from spoiled("tune", "windows", ("99", "100000"))
    for content in (BINARY, b"SQLite format 3\0" + BINARY, "{}"):
        yield laying(VALID["tune"], {"new/trials.db": content}, "new")
