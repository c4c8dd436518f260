"""The pictures people look at: filters, maps, mistakes, calibration."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor

from ..classify.scores import Score
from .planes import Method, on_plane

COLOURS = 20
"""Labels that a map tells apart by colour at most."""

CLASSES = 60
"""Classes that a confusion matrix shows at most."""

INK, SOFT, GOOD, BAD = "#222222", "#9a9a9a", "#2a6f97", "#c1443c"


def shown(pixels: np.ndarray) -> np.ndarray:
    """A decoded photo ``[1 or 3, S, S]`` as matplotlib wants it, ``[S, S, 3]``."""
    return np.repeat(pixels, 3, axis=0).transpose(1, 2, 0) if len(pixels) == 1 else pixels.transpose(1, 2, 0)


def filters(weights: Tensor, columns: int = 8) -> Figure:
    """The first layer's filters, all on one scale; zero is the middle grey.

    Arguments:
        weights: ``[filters, channels, h, w]``.
        columns: filters in a row.
    """
    values = weights.cpu().float().numpy()
    if values.shape[1] != 3:
        values = values.mean(axis=1, keepdims=True)
    # One scale: a filter that is next to nothing, stretched to its own range, would look like any other.
    largest = max(float(np.abs(values).max()), 1e-9)
    rows = -(-len(values) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(0.8 * columns, 0.8 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, one in zip(axes.flat, values, strict=False):
        axis.imshow(shown(0.5 + one / (2 * largest)), interpolation="nearest", vmin=0, vmax=1)
    # Above the pictures: of one row of them it would cover the middle ones.
    figure.suptitle("First-layer filters", fontsize=9, color=INK, y=0.9, va="bottom")
    return figure


def embedding_map(
    vectors: np.ndarray,
    thumbnails: Sequence[np.ndarray],
    labels: Sequence[str],
    *,
    title: str = "",
    method: Method = "tsne",
    seed: int = 0,
    pictures: int = 250,
) -> Figure:
    """Where articles lie beside each other: their vectors `on_plane`, with a thumbnail for each.

    Thumbnails that would hide one that is drawn already are left out, and shown as points. Of more than `COLOURS`
    labels the rarer ones share a grey.

    Arguments:
        vectors: ``[n, F]``.
        thumbnails: n decoded photos ``[channels, S, S]``.
        labels: n labels, which colour the points.
        title: what stands above.
        method: what brings the vectors to a plane.
        seed: seeds the map.
        pictures: thumbnails at most.

    Raises:
        ValueError: there are fewer vectors than `FEWEST`, or UMAP is not installed.
        ModuleNotFoundError: scikit-learn is not installed (``pip install scikit-learn``).
    """
    places = on_plane(vectors, method, seed=seed)
    figure, axis = plt.subplots(figsize=(12, 9))
    found = Counter(labels).most_common()
    own = sorted(name for name, _ in (found if len(found) <= COLOURS else found[: COLOURS - 1]))
    palette = plt.get_cmap("tab20")
    colour: dict[str, Any] = {name: SOFT for name, _ in found}
    colour.update({name: palette(number) for number, name in enumerate(own)})
    axis.scatter(places[:, 0], places[:, 1], s=8, c=[colour[label] for label in labels], linewidths=0)
    drawn: list[np.ndarray] = []
    for number in np.random.default_rng(seed).permutation(len(vectors)):
        place = places[number]
        if len(drawn) >= pictures or any(np.abs(place - other).max() < 0.036 for other in drawn):
            continue
        drawn.append(place)
        image = shown(thumbnails[number])
        box = AnnotationBbox(
            OffsetImage(image, zoom=24 / image.shape[0]),
            tuple(place),
            pad=0.06,
            bboxprops={"edgecolor": colour[labels[number]], "linewidth": 1.4},
        )
        axis.add_artist(box)
    named = [(name, colour[name]) for name in own]
    if rest := len(found) - len(own):
        named.append((f"{rest} rarer ones", SOFT))
    handles = [Line2D([], [], marker="s", linestyle="", color=ink, label=name) for name, ink in named]
    axis.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, frameon=False)
    axis.set(xticks=[], yticks=[], title=title)
    axis.margins(0.03)
    figure.tight_layout()
    return figure


def mistakes(
    thumbnails: Sequence[np.ndarray],
    truth: Sequence[str],
    answers: Sequence[str],
    confidence: Sequence[float],
    *,
    title: str = "",
    classes: int = 10,
    each: int = 8,
) -> Figure:
    """Misclassified photos, a row a true class, the most confident mistakes first.

    Arguments:
        thumbnails: n decoded photos of misclassified articles.
        truth: their n labels.
        answers: what was answered.
        confidence: how surely, 0…1.
        title: what stands above.
        classes: rows at most; those with the most mistakes.
        each: photos a row at most.

    Raises:
        ValueError: there is no mistake.
    """
    if not len(truth):
        raise ValueError("truth: expected at least one mistake to show, got none")
    rows: dict[str, list[int]] = {}
    for number in np.argsort(-np.asarray(confidence)):
        rows.setdefault(truth[number], []).append(int(number))
    chosen = sorted(rows.items(), key=lambda row: (-len(row[1]), row[0]))[:classes]
    figure, axes = plt.subplots(len(chosen), each, figsize=(1.25 * each + 1.3, 1.5 * len(chosen) + 0.4), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for line, (name, numbers) in zip(axes, chosen, strict=True):
        line[0].text(
            -0.12,
            0.5,
            f"{_wrapped(name, 24)}\n{len(numbers)} wrong",
            transform=line[0].transAxes,
            ha="right",
            va="center",
            fontsize=8,
        )
        for axis, number in zip(line, numbers, strict=False):
            axis.imshow(shown(thumbnails[number]), interpolation="nearest")
            said = _wrapped(answers[number], 18) or "(nothing)"
            axis.set_title(f"{said}\n{confidence[number]:.2f}", fontsize=6.5, color=BAD, pad=2)
    figure.suptitle(title, fontsize=10, color=INK)
    figure.tight_layout(rect=(0.07, 0, 1, 0.98))
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str], *, title: str = "") -> Figure:
    """The confusion matrix, each row as shares of its true class.

    Of more than `CLASSES` classes it shows those with the most articles: of hundreds nobody could read a name.

    Arguments:
        counts: ``[K or K + 1, K]``, from `hemline.vision.classify.scores.score`; a last row of labels never seen is
            shown only if there are any.
        classes: K names.
        title: what stands above.
    """
    counts = np.asarray(counts)
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    if len(classes) > CLASSES:
        often = counts[: len(classes)].sum(axis=1) + counts.sum(axis=0)
        kept = np.sort(np.argsort(-often, kind="stable")[:CLASSES])
        title = f"{title} (the {CLASSES} most frequent of {len(classes)} classes)".strip()
        lines = [*kept, *range(len(classes), len(counts))]
        counts, shares = counts[np.ix_(lines, kept)], shares[np.ix_(lines, kept)]
        classes = [classes[number] for number in kept]
    rows = [*classes, "(never seen)"] if len(counts) > len(classes) and counts[-1].sum() else list(classes)
    counts, shares = counts[: len(rows)], shares[: len(rows)]
    side = max(4.0, 0.32 * len(classes) + 1.5)
    figure, axis = plt.subplots(figsize=(side + 1, side))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
    axis.set_yticks(range(len(rows)), rows, fontsize=7)
    axis.set(xlabel="answered", ylabel="true", title=title)
    if len(classes) <= 25:
        for (row, column), share in np.ndenumerate(shares):
            if counts[row, column]:
                ink = "white" if share > 0.6 else INK
                axis.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=6, color=ink)
    figure.tight_layout()
    return figure


def reliability(scores: Mapping[str, Score]) -> Figure:
    """Reliability diagram: confidence against accuracy, a curve a task, and the number of answers below.

    On the diagonal confidence equals accuracy.

    Arguments:
        scores: task -> what `hemline.vision.classify.scores.score` gave; tasks of facets are left out.
    """
    figure, (axis, below) = plt.subplots(2, 1, figsize=(5, 6), sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    axis.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--")
    for name, score in scores.items():
        rows = [row for row in score.get("reliability", ()) if row["share"] >= 0.005]
        if rows:
            line = axis.plot([row["confidence"] for row in rows], [row["accuracy"] for row in rows], linewidth=1.2)
            axis.scatter(
                [row["confidence"] for row in rows],
                [row["accuracy"] for row in rows],
                s=[20 + 180 * row["share"] for row in rows],
                color=line[0].get_color(),
                alpha=0.7,
                linewidths=0,
                label=f"{name} (error {score['calibration_error']:.3f})",
            )
            counts = [row["share"] * score["articles"] for row in rows]
            below.plot([row["confidence"] for row in rows], counts, marker="o", markersize=3, linewidth=1)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.02), ylabel="share of right answers")
    below.set(xlabel="stated confidence", ylabel="answers", yscale="log")
    axis.set_title("Reliability; below, how many answers are so confident", fontsize=9)
    axis.legend(fontsize=7, frameon=False, loc="upper left", markerscale=0.6)
    figure.tight_layout()
    return figure


class EpochRow(TypedDict):
    """A row of a training log: the mean loss, and the share of right answers on the validation side by task."""

    epoch: int
    loss: float
    validation: Mapping[str, float]


def learning_curves(history: Sequence[EpochRow]) -> Figure:
    """The mean loss of each epoch, and the share of right answers on the validation side, a curve a task.

    Arguments:
        history: the training log, a row an epoch.
    """
    epochs = [row["epoch"] for row in history]
    figure, (above, below) = plt.subplots(2, 1, figsize=(5, 5), sharex=True)
    above.plot(epochs, [row["loss"] for row in history], color=INK, linewidth=1.2)
    above.set(ylabel="loss")
    tasks = list(dict.fromkeys(task for row in history for task in row["validation"]))
    for task in tasks:
        told = [(row["epoch"], row["validation"][task]) for row in history if task in row["validation"]]
        below.plot(*zip(*told, strict=True), linewidth=1.2, label=task)
    below.set(xlabel="epoch", ylabel="right on validation", ylim=(0, 1.02))
    if tasks:
        below.legend(fontsize=7, frameon=False, loc="lower right")
    above.set_title("Learning curves", fontsize=9)
    figure.tight_layout()
    return figure


def captions(thumbnails: Sequence[np.ndarray], titles: Sequence[str], said: Sequence[str]) -> Figure:
    """Photos with their titles and what was said of them.

    Arguments:
        thumbnails: n decoded photos.
        titles: their titles.
        said: what the captioner says.
    """
    columns = 5
    rows = -(-len(titles) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.1 * columns, 4.3 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, photo, title, words in zip(axes.flat, thumbnails, titles, said, strict=False):
        axis.imshow(shown(photo))
        axis.text(0.5, -0.03, _wrapped(title), transform=axis.transAxes, ha="center", va="top", fontsize=8, color=SOFT)
        axis.text(0.5, -0.2, _wrapped(words), transform=axis.transAxes, ha="center", va="top", fontsize=8, color=GOOD)
    figure.suptitle("Grey: the title. Blue: what is said of the photo.", fontsize=9, color=INK, y=1.0, va="bottom")
    # A row of photos leaves room for the six lines of text below it.
    figure.subplots_adjust(left=0.01, right=0.99, top=0.98, bottom=0.12, wspace=0.05, hspace=0.45)
    return figure


def _wrapped(text: str, width: int = 36) -> str:
    """A text in at most three lines; facets may be parted too, and what is left out is marked."""
    spaced = text.replace("|", " | ")
    return "\n".join(textwrap.wrap(spaced, width, max_lines=3, placeholder=" …"))
