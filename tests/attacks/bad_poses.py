"""Bad inputs of pairs of poses, and of networks that change poses."""

from __future__ import annotations

from collections.abc import Iterator

from bad_files import broken
from bad_inputs import LONG, NUL, VALID, Bad, bad, laying, spoiled
from bad_words import WHOLE

LEAST = {
    "poses": {"people": 1, "held-out": 0, "photos": 2, "size": 16, "seed": 0},
    "morph": {"patches": 1},
    "weigh-poses": {"patches": 1},
    "learn-poses": {"steps": 1, "batch-size": 1, "size": 8, "width": 1, "patches": 1, "seed": 0},
}
NEEDED = {
    "learn-poses": "data checkpoint",
    "morph": "keypoints pose checkpoint out",
    "weigh-poses": "data checkpoint",
}
HEADER = "name:keypoints_y:keypoints_x\n"
POSE = f"{[5] * 16}: {[5] * 16}\n"
POSES = {
    "": "columns",
    "name,keypoints_y,keypoints_x\n": "columns",
    HEADER: "expected poses",
    f"{HEADER}a\n": "cells",
    f"{HEADER}a: [1]: [1]\n": "points, got 1",
    f"{HEADER}a: {[-1] * 16}: {[-1] * 16}\n": "missing",
    f"{HEADER}a: {[-2] * 16}: {[-2] * 16}\n": "-1",
    f"{HEADER}a: {[5] * 16}: {[5] * 15}\n": "as many",
    f"{HEADER}a: x: y\n": "list of numbers",
    f"{HEADER}a: {[float('nan')] * 16}: {[5] * 16}\n": "list of numbers",
    f"{HEADER}a: {POSE}a: {POSE}": "another photo",
    f"{HEADER}../a: {POSE}": "in the folder",
    f"{HEADER}a: {POSE}b: {[5] * 18}: {[5] * 18}\n": "as the poses before",
    HEADER + "a: " + "[" * 100_000 + ": []\n": "list of numbers",
    f"{HEADER}\0: {POSE}": "pairs",
}


def words_of_poses() -> Iterator[Bad]:
    """Numbers and words that are none, what is left out, and places that are not there or cannot be written to."""
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option)
    for name, options in LEAST.items():
        for option, least in options.items():
            yield from spoiled(name, option, [*WHOLE, *(["0"] if least else [])])
    yield from spoiled("poses", "standing", ("", "nope", "a\nb", "MIDDLE"))
    yield from spoiled("poses", "photos", ("1",))
    yield from spoiled("learn-poses", "size", ("9", "30", "100"), "size: expected 4, 5, 6 or 7, doubled some times")
    yield from spoiled("learn-poses", "attention", ("", "nope", "a\nb", "COPY"))
    yield from spoiled("learn-poses", "device", ("", "nope"))
    yield from spoiled("learn-poses", "features", ("../x", "", LONG, NUL, "a\nb"), "features", "backbone", "../x")
    for option in ("perceptual", "adversarial"):
        yield from spoiled("learn-poses", option, ("", "x", "nan", "inf", "-0.1", "1e400", "0,5"))
    for name, option in {"learn-poses": "data", "morph": "keypoints", "weigh-poses": "data"}.items():
        values = ("nope", "nope.toml", "binary.toml", "empty", "empty.toml", "sales.csv", "bt", LONG, NUL)
        yield from spoiled(name, option, values, *values[:-1], "nul", LONG[:40])
    for name in ("morph", "weigh-poses"):
        yield from spoiled(name, "checkpoint", ("nope", "empty", "sales.csv", "bt", LONG, NUL), "checkpoint")
    yield from spoiled("learn-poses", "checkpoint", ("sales.csv", "sales.csv/below", "posed", LONG, NUL))
    yield from spoiled("morph", "pose", ("", "nope", "empty", "photos/0.png", "people/keypoints.csv", LONG, NUL))
    for option in ("out", "looks"):
        yield from spoiled("morph", option, ("sales.csv/new.png", "new.txt", f"{LONG}.png", "nul\0.png", ""))
    for at in ("x", "1", "16,0", "0,16", "-1,0", "1,2,3", "1.5,2", "99999,0"):
        yield bad([*VALID["morph"].split(), "--looks", "looks.png", "--at", at], "at:")
    for value in ("nope.png", "photos/0.png", "people/keypoints.csv", "people", LONG, NUL):
        words = VALID["morph"].split()
        yield bad([*words[:2], value, *words[3:]], "source", "keypoints")
    yield from spoiled("weigh-poses", "beside", ("nope", "empty", "bt", LONG, NUL), "beside", "checkpoint")
    for option in ("out", "sheet"):
        yield from spoiled("weigh-poses", option, ("bt", "sales.csv/new.csv", LONG, NUL))
    for value in ("sales.csv", "sales.csv/below", LONG, NUL):
        yield bad(["data", "poses", value, "--people", "1", "--size", "16"], "folder")


def files_of_poses() -> Iterator[Bad]:
    """Tables of keypoints and pairs, photos and garments that are not what they should be."""
    for name in ("learn-poses", "morph"):
        for content, told in POSES.items():
            yield laying(VALID[name], {"people/keypoints.csv": content}, told)
    for content in ("", "from\n", "from,to\n", "from,to\nnope.png,00000-0.png\n", "from,to\na\n", "from,to\na,b,c\n"):
        for file in ("pairs.csv", "held_out.csv"):
            yield laying(VALID["learn-poses"], {f"people/{file}": content})
    beyond = f"00000-0.png: {[99] * 16}: {[5] * 16}\n"
    yield laying(VALID["learn-poses"], {"people/keypoints.csv": f"{HEADER}{beyond}"}, "pairs")
    for file in ("people/photos/00000-0.png", "people/garments/00000-1.png"):
        for content in (None, "", b"no picture"):
            yield laying(VALID["learn-poses"], {file: content})
    for told in ('photos = "photos"\n', 'photos = 1\nkeypoints = "x"\npairs = "y"\n', 'nope = "x"\n'):
        yield laying(VALID["learn-poses"], {"people/poses.toml": told})
    for name, file in (("morph", "morph.json"), ("morph", "morph.safetensors"), ("weigh-poses", "morph.json")):
        for files in broken("posed", file):
            yield laying(VALID[name], files, "posed")
