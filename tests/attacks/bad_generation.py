"""Bad inputs of generators and of designers of garments."""

from __future__ import annotations

from collections.abc import Iterator

from bad_files import broken
from bad_inputs import LONG, NUL, VALID, Bad, bad, laying, spoiled
from bad_words import WHOLE

LEAST = {
    "gan": {"steps": 1, "batch-size": 1, "size": 8, "channels": 1, "width": 1, "seed": 0, "split-seed": 0},
    "sample": {"count": 1, "seed": 0},
    "weigh": {"count": 2, "neighbours": 1, "seed": 0},
    "learn-designs": {"size": 8, "steps": 1, "groups": 1, "seed": 0, "split-seed": 0},
    "design": {"texture-seed": 0},
    "controls": {"textures": 1, "first-seed": 0},
    "weigh-designs": {"count": 2, "seed": 0},
}
NEEDED = {
    "gan": "data checkpoint",
    "sample": "checkpoint out",
    "weigh": "data checkpoint features",
    "learn-designs": "data checkpoint",
    "design": "checkpoint colour out",
    "recolour": "colour out",
    "controls": "checkpoint out",
    "weigh-designs": "data checkpoint",
}
READ = {
    "gan": "data",
    "sample": "checkpoint",
    "weigh": "data checkpoint",
    "learn-designs": "data",
    "design": "checkpoint",
    "controls": "checkpoint",
    "weigh-designs": "data checkpoint",
}


def words_of_generators() -> Iterator[Bad]:
    """Options that are left out, numbers and words that are none, places that are not there or hold something else."""
    for name, options in NEEDED.items():
        for option in options.split():
            words = VALID[name].split()
            at = words.index(f"--{option}")
            yield bad([*words[:at], *words[at + 2 :]], option)
    for name, options in LEAST.items():
        for option, least in options.items():
            yield from spoiled(name, option, [*WHOLE, *(["0"] if least else [])])
    for size in ("9", "30", "100"):
        for name in ("gan", "learn-designs"):
            yield from spoiled(name, "size", (size,), "size: expected 4, 5, 6 or 7, doubled some times")
    for option, names in {
        "recipe": "recipe",
        "augment": "augment",
        "precision": "precision",
        "device": "device",
    }.items():
        yield from spoiled("gan", option, ("", "nope", "a\nb", "ADA"), names)
    yield from spoiled("gan", "task", ("", "nope", "a\nb", "title"), "task")
    yield bad(f"{VALID['gan']} --recipe gan", "width")
    yield bad(["vision", "gan", "describe", "nope"], "recipe")
    yield bad("vision gan describe small --size 30", "size")
    for label in ("", "nope", "red", "a\nb"):
        yield from spoiled("sample", "label", (label,), "label")
    for name in ("sample", "weigh"):
        yield from spoiled(name, "truncation", ("", "x", "nan", "inf", "-1", "0", "1e400", "1,5"), "truncation")
    for colour in ("", "red", "#12345", "#1234567", "#gggggg", "a\nb", NUL):
        for name in ("design", "recolour"):
            yield from spoiled(name, "colour", (colour,), "colour")
    for option in ("tint", "prints"):
        yield from spoiled("recolour", option, ("", "x", "nan", "inf", "-0.1", "1.1", "1e400", "0,5"), option)
    for name, options in READ.items():
        for option in options.split():
            values = ("nope", "binary.toml", "empty", "bt", LONG, NUL)
            yield from spoiled(name, option, values, *values[:4], "nul", LONG[:40])
    for name in ("gan", "learn-designs"):
        yield from spoiled(name, "checkpoint", ("sales.csv", "sales.csv/below", "made", LONG, NUL), "checkpoint")
    for name in ("weigh", "weigh-designs"):
        yield from spoiled(name, "features", ("../x", "", LONG, NUL, "a\nb"), "features", "backbone", "../x")
        yield from spoiled(name, "out", ("bt", "sales.csv/new.csv", LONG, NUL), "out")
    for name in ("sample", "design", "recolour", "controls"):
        yield from spoiled(name, "out", ("sales.csv/new.png", f"{LONG}.png", "nul\0.png", ""), "out")


def photos_of_garments() -> Iterator[Bad]:
    """Photos that have no garment on a plain ground, or are none."""
    for value in ("nope", "nope.png", "photos", "binary.toml", "empty", "sales.csv", "", LONG, NUL):
        named = value[:40].partition("\0")[0]
        for option in ("mask", "texture-of"):
            yield from spoiled("design", option, (value,), option, named or option)
        yield from spoiled("recolour", "mask", (value,), "mask", named or "mask")
        words = VALID["recolour"].split()
        yield bad([*words[:3], value, *words[4:]], named or "photo")
    yield from spoiled("recolour", "mask", ("photos/0.png",), "mask: expected 32 × 32 pixels like the photo")


def broken_generators() -> Iterator[Bad]:
    """Folders of generators and designers with a file that is not what it should be."""
    for word, folder, names in (
        ("sample", "made", "generator.json generator.safetensors"),
        ("weigh", "made", "split.json"),
        ("controls", "designer", "designer.json designer.safetensors"),
        ("weigh-designs", "designer", "split.json"),
    ):
        for name in names.split():
            for files in broken(folder, name):
                yield laying(VALID[word], files, folder)
