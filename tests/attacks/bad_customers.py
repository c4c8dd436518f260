"""Bad inputs of recommenders: purchases, articles, vectors, stock, and folders of trained ones."""

from __future__ import annotations

from collections.abc import Iterator

from bad_files import NO_TOML, broken
from bad_inputs import BINARY, LONG, NUL, VALID, Bad, bad, described, laying, spoiled, wrong
from bad_words import WHOLE

NAMES = ("dna", "popular", "for", "alike", "later")
NEEDED = {
    "dna": "purchases model out",
    "for": "recommender",
    "alike": "recommender",
    "later": "recommender purchases",
}
READ = {
    "dna": "purchases catalogue vectors config",
    "for": "recommender stock",
    "alike": "recommender",
    "later": "recommender purchases",
}


def words_of_recommenders() -> Iterator[Bad]:
    """Options that are left out, numbers and dates that are none, names of nothing, places that are not there."""
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option)
    for name, option in (("for", "top"), ("alike", "top"), ("later", "top"), ("later", "weeks")):
        yield from spoiled(name, option, (*WHOLE, "0"))
    yield from spoiled("dna", "seed", WHOLE)
    yield from spoiled("dna", "until", ("", "soon", "2024-13-01", "2023-01-01", LONG), "until")
    yield from spoiled("for", "at", ("", "soon", "2024-13-01", "2023-01-01", LONG), "at")
    yield from spoiled("dna", "model", ("", "nope", "os:system", LONG), "model", "nope")
    for name, options in READ.items():
        for option in options.split():
            values = ("nope", "binary.toml", "empty", LONG, NUL, "photos")
            yield from spoiled(name, option, values, "nope", "binary.toml", "empty", LONG[:40], "nul", "photos")
    yield from spoiled("dna", "out", ("sales.csv", "sales.csv/below", LONG, NUL, ""))
    for name in ("for", "alike", "later"):
        yield from spoiled(name, "out", ("bt", "new.txt", "sales.csv/new.csv", f"{LONG}.csv", "nul\0.csv", ""))
    for who in ("nobody", "", "c0 ", LONG):
        words = VALID["for"].split()
        yield bad([*words[:2], who, *words[3:]], "customers", who[:40] or "customers")
    for what in ("nothing", "", "i0 ", LONG):
        words = VALID["alike"].split()
        yield bad([*words[:2], what, *words[3:]], "items", what[:40] or "items")
    yield bad("recommend for c0 --recommender recommender --size M", "size")
    yield from spoiled("for", "size", ("XS", "", LONG), "size")
    yield bad(f"{VALID['later']} --recommender popular", "recommender", "popular")


ROWS = "customer,article,time\nc0,i0,2024-01-01\nc1,i1,2024-01-02\nc0,i2,2024-01-03\nc1,i3,2024-01-04\n"
BAD_ROWS = {
    "": ("own.csv",),
    "customer,article\nc0,i0\n": ("customer",),
    "customer,article,time\n": ("own.csv",),
    f"{ROWS},i0,2024-01-05\n": ("customer",),
    f"{ROWS}c0,,2024-01-05\n": ("article",),
    f"{ROWS}c0,i0,\n": ("time",),
    f"{ROWS}c0,i0,soon\n": ("time", "soon"),
    f"{ROWS}c0,nothing,2024-01-05\n": ("nothing",),
    ROWS.replace("time", "article", 1): ("own.csv", "customer"),
    "customer,article,time,price\nc0,i0,2024-01-01,-3\n": ("price",),
    "customer,article,time,price\nc0,i0,2024-01-01,x\n": ("price",),
    "customer,article,time,quantity\nc0,i0,2024-01-01,0\n": ("quantity",),
    "customer,article,time,quantity\nc0,i0,2024-01-01,-1\n": ("quantity",),
    "customer,article,time,returned\nc0,i0,2024-01-01,2\n": ("returned",),
    "customer,article,time,returned\nc0,i0,2024-01-01,1\n": ("purchases",),
    "customer;article;time\nc0;i0;2024-01-01\n": ("sep",),
    "c0,i0,2024-01-01\n": ("customer", "own.csv"),
}


def tables_of_purchases() -> Iterator[Bad]:
    """Tables of purchases that are none, and TOML files that describe them."""
    learnt, later = VALID["dna"].replace("bought.csv", "own.csv"), VALID["later"].replace("bought.csv", "own.csv")
    for content, told in BAD_ROWS.items():
        yield bad(learnt, *told, own_csv=content)
    yield bad(learnt, "own.csv", own_csv=BINARY)
    yield bad(later, "own.csv", own_csv=BINARY)
    yield bad(later, "purchases", own_csv="customer,article,time\nnew,i0,2025-01-01\n")
    yield bad(later, "purchases", own_csv="customer,article,time\nc0,i0,2022-01-01\n")
    words = VALID["dna"].replace("bought.csv", "own.toml")
    right = {"table": "bought.csv", "customer": "customer", "article": "article", "time": "time"}
    for key in (*right, "anonymous", "sep", "nope"):
        for value in wrong():
            yield bad(words, key, "own.toml", "x", own_toml=described({**right, key: value}))
    for content in NO_TOML:
        yield bad(words, "own.toml", own_toml=content)


def files_beside_purchases() -> Iterator[Bad]:
    """Settings, vectors and stock that are not what they should be."""
    words = VALID["dna"].replace("dna.toml", "own.toml")
    for key in ("width", "size", "epochs", "lr", "dropout", "own", "block", "watch", "weeks", "seed", "nope"):
        right = {"own": (bool,), "lr": (), "weeks": (8.9,), "dropout": (), "watch": ()}.get(key, ())
        for value in wrong(*right):
            yield bad(words, key, "own.toml", own_toml=described({"width": 4, "epochs": 1, key: value}))
    for content in (b"", BINARY, b"PAR1", "item_id,vector\n"):
        yield bad(f"{VALID['dna']} --vectors own.parquet", "own.parquet", own_parquet=content)
    for content in ("", "article\ni0\n", "article,stock\n", "article,stock\ni0,x\n", "article,stock\n,3\n", BINARY):
        yield bad(VALID["for"].replace("shelf.csv", "own.csv"), "own.csv", "stock", own_csv=content)


def broken_recommenders() -> Iterator[Bad]:
    """Folders of recommenders with a file that is not what was written."""
    for name in ("recommender.json", "model.safetensors", "purchases.parquet", "articles.safetensors"):
        for files in broken("recommender", name):
            yield laying(VALID["for"], files, "recommender")
    for content in (b"", BINARY, b"PK\x03\x04"):
        yield laying(f"{VALID['popular']} --out popular/below", {"popular/below": content}, "out")
