"""Train a designer on the packshots of a catalogue, keep it in a folder, and design garments with it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from ....datasets.pictures.photos import Pictures
from ....datasets.pictures.source import Progress, Source
from ....datasets.pictures.split import ArticleSplit, split_articles
from ....runtime.arguments.kinds import Seed, checked
from ....runtime.arguments.naming import naming
from ....runtime.display.showing import Shown
from ....runtime.plain import PlainObject, made_of, to_plain
from ....runtime.reading.weights import network_with_tensors
from ....runtime.run_folder import RunFolder
from ....runtime.training.resume import REPORT, begin, check_begun, finish
from ..adversarial.running import keep_sheet, train_adversaries
from ..sheets import sheet
from ..trained import as_bytes
from .masks import are_packshots, article_masks
from .network import Designer, DesignForm
from .training import DesignConfig, DesignTraining

WEIGHTS, DESIGNER, SPLIT, SHEET = "designer.safetensors", "designer.json", "split.json", "controls.png"

_AT_ONCE, _KEPT_MASKS = 64, 6

_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")

SHOWN_COLOURS = ("#c62828", "#1e3a8a", "#2e7d32", "#e8c14a", "#d9d9d9", "#262626")
"""The colours of the columns of a controls sheet."""


@dataclass(frozen=True, repr=False)
class TrainedDesigner(Shown):
    """A designer with its options, and a few masks to show it with.

    Arguments:
        network: the running mean of the weights, in evaluation mode.
        training: how it was trained.
        masks: uint8 ``[n, 1, S, S]``, of training photos.
    """

    network: Designer
    training: DesignConfig
    masks: Tensor

    def _shown(self) -> dict[str, object]:
        """Size, parameters and training."""
        count = sum(each.numel() for each in self.network.parameters())
        return {"size": self.network.form.size, "parameters": count, "training": self.training}

    def textures(self, seeds: Sequence[int]) -> Tensor:
        """The latent vector of each texture seed, ``[n, Z]``."""
        wide = self.network.form.texture
        return torch.stack([torch.randn(wide, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    def draw(self, textures: Tensor, colours: np.ndarray, masks: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Designed garments.

        Arguments:
            textures: ``[n, Z]``.
            colours: ``[n, 3]``, red, green and blue, 0…1.
            masks: the share of the garment in each pixel, ``[n, S, S]``, 0…1.
            device: where to calculate.

        Returns:
            uint8 ``[n, 3, S, S]``.

        Raises:
            ValueError: a mask has another size, or is empty.
        """
        size = self.network.form.size
        masks = np.asarray(masks, dtype=np.float32)
        if masks.shape[1:] != (size, size):
            raise ValueError(f"masks: expected masks of {size} × {size} pixels, got {list(masks.shape[1:])}")
        if (empty := np.flatnonzero(masks.max(axis=(1, 2)) < 0.5)).size:
            raise ValueError(f"masks: expected a garment in each, got none in mask {empty[0]}")
        asked = torch.as_tensor(np.asarray(colours, dtype=np.float32)) * 2 - 1
        network, found = self.network.to(device).eval(), []
        with torch.inference_mode():
            for first in range(0, len(textures), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                places = torch.from_numpy(masks[some])[:, None]
                made = network(*(part.to(device) for part in (textures[some], asked[some], places)))
                found.append(as_bytes(made))
        return np.concatenate(found)

    def controls(self, seeds: Sequence[int] = (0, 1, 2, 3), colours: Sequence[str] = SHOWN_COLOURS) -> bytes:
        """A sheet as PNG: rows are textures, columns colours, and blocks side by side are shapes."""
        chosen = self.masks[: 2 if len(self.masks) > 1 else 1, 0].float().numpy() / 255
        textures, asked = self.textures(seeds), np.stack([parsed_colour(colour) for colour in colours])
        rows, columns = len(seeds), len(colours)
        cells = [
            (row, column, block) for row in range(rows) for block in range(len(chosen)) for column in range(columns)
        ]
        made = self.draw(
            torch.stack([textures[row] for row, _, _ in cells]),
            np.stack([asked[column] for _, column, _ in cells]),
            np.stack([chosen[block] for _, _, block in cells]),
        )
        return sheet(made, columns * len(chosen))

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON, which is the sign that both are there."""
        folder.write_tensors(WEIGHTS, {**self.network.state_dict(), "masks": self.masks})
        described: PlainObject = {"form": to_plain(self.network.form), "training": to_plain(self.training)}
        folder.write_json(DESIGNER, described)

    @classmethod
    def load(cls, folder: RunFolder) -> TrainedDesigner:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no designer in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(DESIGNER)
            form = made_of(told["form"], DesignForm)
            tensors = folder.read_tensors(WEIGHTS)
            masks = tensors.pop("masks", None)
            if masks is None or masks.dtype != torch.uint8 or masks.shape[1:] != (1, form.size, form.size):
                raise ValueError(f"{folder.path(WEIGHTS)}: expected masks of {form.size} × {form.size} pixels")
            network = network_with_tensors(form.build, tensors, folder.path(WEIGHTS), told["form"])
            return cls(network.eval(), made_of(told["training"], DesignConfig), masks)


@checked
def train_designer(
    source: Source,
    checkpoint: str,
    *,
    form: DesignForm | None = None,
    training: DesignConfig | None = None,
    split_seed: Seed = 0,
    resume: bool = False,
    progress: Progress | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> TrainedDesigner:
    """Train a designer on the packshots of the training side of a catalogue and write the run.

    A photo counts where its ground is white and the article stands inside; its mask is what differs from the border.
    The run holds ``designer.safetensors``, ``designer.json``, ``split.json``, the sheet ``controls.png`` with earlier
    ones in ``sheets/``, and ``report.json``; while it trains also ``last.ckpt``, from which a killed training goes on.

    Arguments:
        source: the catalogue.
        checkpoint: folder or fsspec address of the run.
        form: of the network.
        training: how to train.
        split_seed: draws the split, where the source does not say which articles are for the test.
        resume: go on with the killed training in `checkpoint`.
        progress: called with the photos opened and all photos.
        logger: one or several of ``lightning.pytorch.loggers``.

    Returns:
        The designer.

    Raises:
        ValueError: the folder already holds a run, no photo is a packshot, or `resume` is asked of a run begun with
            other options or photos.
        FloatingPointError: a loss became NaN or infinite; the state of the last whole epoch is kept.
    """
    form, training = form or DesignForm(), training or DesignConfig()
    folder = RunFolder(checkpoint)
    begun: PlainObject = {"form": to_plain(form), "training": to_plain(training), "split_seed": split_seed}
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return TrainedDesigner.load(folder)
        started = time.process_time()
        pictures = source.load(2 * form.size, progress=progress)
        if resume:
            split = made_of(folder.read_json(SPLIT), ArticleSplit)
        else:
            told = any(article.side is not None for article in source.catalogue.articles)
            split = split_articles(source.catalogue, pictures, validation=None if told else 0.0, seed=split_seed)
        shots = packshots(source, pictures, split.train)
        if len(shots.images) < 2:
            raise ValueError(
                f"data: expected photos of articles on a white ground, got {len(shots.images)} of {shots.seen} "
                f"({len(pictures.quarantine)} in quarantine)"
            )
        if not resume:
            folder.write_json(SPLIT, to_plain(split))
        facts: PlainObject = {"photos": list(shots.content)}
        begin(folder, begun, facts, resume)
        torch.manual_seed(training.seed)
        network, critic = form.build(), form.critic()
        few = shots.masks[:_KEPT_MASKS].clone()

        def shown(epoch: int, now: Designer) -> None:
            keep_sheet(folder, SHEET, TrainedDesigner(now, training, few).controls(), epoch, training.epochs)

        module = DesignTraining(network, critic, training, shots.images, shots.masks, shown)
        train_adversaries(module, folder, training.precision, training.device, logger)
        trained = TrainedDesigner(module.average.cpu(), training, few)
        trained.save(folder)
        report: PlainObject = {
            "photos": {"used": len(shots.images), "seen": shots.seen},
            "quarantine": [{"address": bad.address, "reason": bad.reason} for bad in pictures.quarantine],
            "seconds": {"processor": round(time.process_time() - started, 1)},
            "history": module.history,
        }
        finish(folder, report)
        return trained


@dataclass(frozen=True)
class Packshots:
    """Photos of articles on a white ground, with their masks.

    Arguments:
        images: uint8 ``[N, 3, S, S]``.
        masks: uint8 ``[N, 1, S, S]``, 255 where the article is.
        content: the N fingerprints of what the photos show.
        seen: how many photos were looked at.
    """

    images: Tensor
    masks: Tensor
    content: tuple[str, ...]
    seen: int


def packshots(source: Source, pictures: Pictures, item_ids: Sequence[str]) -> Packshots:
    """The packshots of some articles, at half the side at which they were opened, so that masks have soft edges.

    Arguments:
        source: the catalogue.
        pictures: its photos, ``[N, 3, 2S, 2S]``.
        item_ids: the articles.
    """
    wanted = set(item_ids)
    used = np.array([article.item_id in wanted for article in source.catalogue.articles], dtype=bool)
    rows = np.flatnonzero(used[pictures.article])
    pixels = pictures.pixels[rows]
    found = article_masks(pixels)
    kept = np.flatnonzero(are_packshots(pixels, found))
    half = torch.nn.functional.avg_pool2d
    images = half(torch.from_numpy(pixels[kept]).float(), 2).round().to(torch.uint8)
    masks = half(torch.from_numpy(found[kept]).float()[:, None] * 255, 2).round().to(torch.uint8)
    return Packshots(images, masks, tuple(pictures.content[rows[number]] for number in kept), len(rows))


def parsed_colour(text: str) -> np.ndarray:
    """A colour as shares of red, green and blue.

    Raises:
        ValueError: it is no colour of six hexadecimal digits.

    Example:
        >>> parsed_colour("#ff0033").tolist()
        [1.0, 0.0, 0.2]
    """
    match = _COLOUR.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"colour: expected six hexadecimal digits such as '#aa2233', got {text!r}")
    return np.array([int(match[1][place : place + 2], 16) / 255 for place in (0, 2, 4)])
