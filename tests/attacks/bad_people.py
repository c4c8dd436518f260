"""Bad inputs of people in articles."""

from __future__ import annotations

from collections.abc import Iterator

from bad_files import broken
from bad_inputs import BINARY, DEEP, LONG, NUL, VALID, Bad, bad, laying, spoiled
from bad_words import WHOLE

LEAST = {
    "worn": {"people": 1, "photos": 1, "seed": 0},
    "learn-swaps": {"steps": 1, "batch-size": 2, "seed": 0},
    "weigh-swaps": {"seed": 0},
    "outfits": {"people": 1, "photos": 1, "seed": 0},
    "learn-outfits": {"size": 8, "steps": 1, "batch-size": 2, "seed": 0},
    "dress": {"seed": 0},
    "weigh-outfits": {"reader-steps": 1, "seed": 0},
}
NEEDED = {
    "learn-swaps": "data checkpoint",
    "swap": "wearing instead checkpoint out",
    "weigh-swaps": "data checkpoint",
    "learn-outfits": "data checkpoint",
    "dress": "pose checkpoint out",
    "weigh-outfits": "data checkpoint",
}
READ = {
    "learn-swaps": "data",
    "swap": "checkpoint",
    "weigh-swaps": "data checkpoint",
    "learn-outfits": "data",
    "dress": "checkpoint",
    "weigh-outfits": "data checkpoint unconditional",
}


def words_of_people() -> Iterator[Bad]:
    """Options that are left out, numbers and words that are none, places that are not there or hold something else."""
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option)
    for name, options in LEAST.items():
        for option, least in options.items():
            yield from spoiled(name, option, [*WHOLE, *(["0"] if least else []), *(["1"] if least == 2 else [])])
    for name in ("worn", "learn-swaps"):
        for option in ("height", "width"):
            yield from spoiled(name, option, (*WHOLE, "0", "15", "1025"), option)
    for option in ("height", "width"):
        yield from spoiled("learn-swaps", option, ("36", "20"), f"{option}: expected a multiple of 8")
    yield from spoiled("worn", "standing", ("", "nope", "a\nb"), "standing")
    yield from spoiled("worn", "slot", ("", "nope", "a\nb"), "slot")
    for value in ("sales.csv", "sales.csv/below", LONG, NUL):
        yield bad(["data", "worn", value, "--people", "3"], "folder")
    yield from spoiled("learn-swaps", "device", ("", "nope", "cuda:99"))
    for name, options in READ.items():
        for option in options.split():
            values = ("nope", "binary.toml", "empty", "bt", LONG, NUL)
            yield from spoiled(name, option, values, *values[:4], "nul", LONG[:40])
    yield from spoiled("learn-swaps", "checkpoint", ("sales.csv", "sales.csv/below", "swaps", LONG, NUL), "checkpoint")
    yield from spoiled("swap", "out", ("sales.csv/new.png", f"{LONG}.png", "nul\0.png", "", "new.txt"), "out")
    yield from spoiled("dress", "out", ("sales.csv/new.png", f"{LONG}.png", "nul\0.png", "", "new.txt"), "out")
    for name in ("weigh-swaps", "weigh-outfits"):
        yield from spoiled(name, "out", ("bt", "sales.csv/new.csv", LONG, NUL), "out")
    yield from spoiled("outfits", "size", (*WHOLE, "0", "15", "1025"), "size")
    yield from spoiled("learn-outfits", "size", ("9", "30"), "size: expected 4, 5, 6 or 7, doubled some times")
    yield from spoiled("outfits", "standing", ("", "nope", "a\nb"), "standing")
    yield from spoiled("learn-outfits", "device", ("", "nope", "cuda:99"))
    yield from spoiled(
        "learn-outfits", "checkpoint", ("sales.csv", "sales.csv/below", "dresser", LONG, NUL), "checkpoint"
    )


def photos_of_people() -> Iterator[Bad]:
    """Photos that are none, articles that are nothing but white, and people who do not wear the article."""
    for value in ("nope", "nope.png", "photos", "binary.toml", "empty", "sales.csv", "", LONG, NUL):
        named = value[:40].partition("\0")[0]
        for option in ("wearing", "instead"):
            yield from spoiled("swap", option, (value,), option, named or option)
        words = VALID["swap"].split()
        yield bad([*words[:2], value, *words[3:]], "person", named or "person")


TOP = "dressed/articles/top/0.png"
NO_OUTFITS = (
    *("nope.png", "top=nope.png", "top=sales.csv", f"hat={LONG}", "top=", "dress=" + TOP, "photos/0.png"),
    *(",".join([TOP] * count) for count in (2, 7)),
)
NAMES = "name:keypoints_y:keypoints_x\n"
NO_POSES = (
    *("", "\n", NAMES, "a:b\n1:2\n", BINARY, "\0" * 50, f"{NAMES}a:[1]:[2]\n", f"{NAMES}a:[x]:[2]\n"),
    *(
        f"{NAMES}a:[{', '.join([down] * joints)}]:[{', '.join([across] * joints)}]\n"
        for down, across, joints in (
            ("-1", "-1", 16), ("17", "4", 16), ("4", "1e9", 16), ("nan", "4", 16), ("4", "-3", 16), ("4", "4", 18),
            ("4", "4", 15), ("4", '"x"', 16),
        )
    ),
)  # fmt: skip


def outfits_and_poses() -> Iterator[Bad]:
    """Articles and poses that are none, and folders of outfits without a part."""
    yield from spoiled("dress", "articles", NO_OUTFITS, "articles")
    for value in ("nope", "photos", "binary.toml", "empty", "sales.csv", "", LONG, NUL):
        yield from spoiled("dress", "pose", (value,), "pose", value[:40].partition("\0")[0] or "pose")
    yield from spoiled("dress", "item", ("", "nope", "a\nb", NUL), "item")
    for content in NO_POSES:
        yield bad(VALID["dress"].replace("dressed/keypoints.csv", "own.csv"), "pose", own_csv=content)
    for name in ("outfits.csv", "keypoints.csv"):
        for content in (None, "", BINARY, "a,b\n1,2\n"):
            yield laying(VALID["learn-outfits"], {f"dressed/{name}": content}, "data", name)
    head = "photo,top,side\n"
    for rows in ("", "nope.png,,\n", "0-0.png,nope.png,\n", "0-0.png,,left\n"):
        yield laying(VALID["learn-outfits"], {"dressed/outfits.csv": head + rows}, "data", "outfits", "nope.png")
    seven = "photo,a,b,c,d,e,f,g\n0-0.png,,,,,,,\n"
    yield laying(VALID["learn-outfits"], {"dressed/outfits.csv": seven}, "columns of slots")
    yield laying(VALID["learn-outfits"], {"dressed/photos/0-0.png": BINARY}, "0-0.png")
    yield laying(VALID["learn-outfits"], {"dressed/photos/0-0.png": None}, "0-0.png")


HEAD = "person,article,kind,side,mask,wanted,truth\n"
NO_PAIRS = (
    *("", "\n", HEAD, "person\nphotos/0.png\n", "person,article,size\na,b,c\n", BINARY, DEEP, "\0" * 50),
    *(
        f"{HEAD}{row}\n"
        for row in (",worn/cloth/0.png,,,,,", "worn/image/0-0.png,,,,,,", "a,b,top,left,,,", "a,b,c,,,,,,,")
    ),
    # One pair alone, and one article on two people.
    f"{HEAD}worn/image/0-0.png,worn/cloth/0.png,top,train,,,\n",
    f"{HEAD}photos/0.png,worn/cloth/0.png,top,train,,,\nphotos/1.png,worn/cloth/0.png,top,train,,,\n",
)


def tables_of_people() -> Iterator[Bad]:
    """Tables of pairs, and folders of street photos, that are none."""
    for content in NO_PAIRS:
        yield bad(VALID["learn-swaps"].replace("worn/pairs.csv", "own.csv"), "data", "table", own_csv=content)
    told = f"{HEAD}worn/image/0-0.png,worn/cloth/0.png,top,test,,,\n"
    yield bad(
        VALID["weigh-swaps"].replace("worn/pairs.csv", "own.csv"), "data: expected rows of the test side", own_csv=told
    )
    street = VALID["learn-swaps"].replace("worn/pairs.csv", "street")
    for labels in ("", "{}", "[1]", '["null"', DEEP, BINARY, "[" + ",".join(['"a"'] * 257) + "]"):
        yield laying(street, {"street/labels.json": labels}, "labels.json")
    yield laying(street, {"street/labels.json": '["null", "top"]', "street/masks/0.png": BINARY}, "0.png")
    yield laying(VALID["learn-swaps"].replace("worn/pairs.csv", "pairs"), {"pairs/image/a.png": BINARY}, "cloth/a.png")


def broken_swaps() -> Iterator[Bad]:
    """Folders of swaps and outfits with a file that is not what it should be."""
    for word, folder, kind in (("swap", "swaps", "swapper"), ("dress", "dresser", "dresser")):
        for name in (f"{kind}.json", f"{kind}.safetensors"):
            for files in broken(folder, name):
                yield laying(VALID[word], files, folder)
