"""Train an article swap on photos of people and packshots, keep it in a folder, and swap articles with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from ....datasets.pictures.photos import read_photo
from ....datasets.pictures.source import Progress
from ....datasets.pictures.worn.pairs import WornPairs, WornRow, load_worn, whole_photo
from ....runtime.arguments.kinds import checked
from ....runtime.arguments.naming import naming
from ....runtime.display.showing import Shown
from ....runtime.plain import PlainObject, made_of, to_plain
from ....runtime.reading.weights import network_with_tensors
from ....runtime.run_folder import RunFolder
from ....runtime.training.resume import REPORT, begin, check_begun, finish
from ..adversarial.running import keep_sheet, train_adversaries
from ..sheets import sheet
from ..trained import as_bytes
from .network import SwapForm, Swapper
from .terms import composed, decided
from .training import SwapBatches, SwapConfig, SwapTraining, swappable

WEIGHTS, SWAPPER, SHEET = "swapper.safetensors", "swapper.json", "swaps.png"

_AT_ONCE, _EXAMPLES = 32, 8

_LEAST = 0.5
"""Of α in at least one pixel; below it nothing is swapped."""


@dataclass(frozen=True, repr=False)
class TrainedSwapper(Shown):
    """An article swap with its options, and a few photos to show it with.

    Arguments:
        network: the running mean of the weights, in evaluation mode.
        training: how it was trained.
        examples: uint8 ``[3, n, 3, H, W]``: photos, articles worn and articles wanted.
    """

    network: Swapper
    training: SwapConfig
    examples: Tensor

    def _shown(self) -> dict[str, object]:
        """Size, parameters and training."""
        form, count = self.network.form, sum(each.numel() for each in self.network.parameters())
        return {"size": f"{form.height} × {form.width}", "parameters": count, "training": self.training}

    def swap(
        self, images: np.ndarray, worn: np.ndarray, wanted: np.ndarray, device: str = "cpu"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Photos of people in other articles, and where they were changed.

        Arguments:
            images: photos, uint8 ``[n, 3, H, W]``.
            worn: the article that each person wears, on white, likewise.
            wanted: the article to be worn in its place, likewise.
            device: where to calculate.

        Returns:
            uint8 ``[n, 3, H, W]``, and α as `decided`, float32 ``[n, H, W]``, 0…1.

        Raises:
            ValueError: an array has another shape.
        """
        form = self.network.form
        for name, given in (("images", images), ("worn", worn), ("wanted", wanted)):
            if given.shape != (len(images), 3, form.height, form.width):
                expected = [len(images), 3, form.height, form.width]
                raise ValueError(f"{name}: expected photos {expected}, got {list(given.shape)}")
        network, swapped, alphas = self.network.to(device).eval(), [], []
        with torch.inference_mode():
            for first in range(0, len(images), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                parts = [torch.from_numpy(each[some]).to(device).float() / 127.5 - 1 for each in (images, worn, wanted)]
                alpha, drawn = network(*parts)
                alpha = decided(alpha)
                swapped.append(as_bytes(composed(parts[0], alpha, drawn)))
                alphas.append(alpha[:, 0].float().cpu().numpy())
        return np.concatenate(swapped), np.concatenate(alphas)

    def sheet(self) -> bytes:
        """The examples as PNG: a column each, with photo, article worn and wanted, α, and the swap."""
        images, worn, wanted = self.examples.numpy()
        swapped, alpha = self.swap(images, worn, wanted)
        places = (alpha * 255).round().astype(np.uint8)[:, None].repeat(3, axis=1)
        rows = (images, worn, wanted, places, swapped)
        return sheet(np.concatenate(rows), len(images), ("photo", "worn", "wanted", "alpha", "swapped"))

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON, which is the sign that both are there."""
        folder.write_tensors(WEIGHTS, {**self.network.state_dict(), "examples": self.examples})
        described: PlainObject = {"form": to_plain(self.network.form), "training": to_plain(self.training)}
        folder.write_json(SWAPPER, described)

    @classmethod
    def load(cls, folder: RunFolder) -> TrainedSwapper:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no swap in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(SWAPPER)
            form = made_of(told["form"], SwapForm)
            tensors = folder.read_tensors(WEIGHTS)
            examples = tensors.pop("examples", None)
            shape = (3, form.height, form.width)
            if examples is None or examples.dtype != torch.uint8 or examples.shape[2:] != shape or len(examples) != 3:
                raise ValueError(f"{folder.path(WEIGHTS)}: expected photos of {form.height} × {form.width} pixels")
            network = network_with_tensors(form.build, tensors, folder.path(WEIGHTS), told["form"])
            return cls(network.eval(), made_of(told["training"], SwapConfig), examples)


@checked
def train_swapper(
    rows: Sequence[WornRow],
    checkpoint: str,
    *,
    form: SwapForm | None = None,
    training: SwapConfig | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    logger: Logger | Sequence[Logger] | None = None,
) -> TrainedSwapper:
    """Train an article swap on pairs of a person and an article, and write the run.

    What is learnt from are photos and packshots alone; masks and photos of the truth are never read. The run holds
    ``swapper.safetensors``, ``swapper.json``, the sheet ``swaps.png`` with earlier ones in ``sheets/``, and
    ``report.json``; while it trains also ``last.ckpt``, from which a killed training goes on.

    Arguments:
        rows: of `worn_rows`; those of the test side are left out.
        checkpoint: folder or fsspec address of the run.
        form: of the network.
        training: how to train.
        resume: go on with the killed training in `checkpoint`.
        progress: called with the pairs opened and all pairs.
        logger: one or several of ``lightning.pytorch.loggers``.

    Returns:
        The swap.

    Raises:
        ValueError: the folder already holds a run, no kind has two articles, or `resume` is asked of a run begun with
            other options or photos.
        FloatingPointError: a loss became NaN or infinite; the state of the last whole epoch is kept.
    """
    form, training = form or SwapForm(), training or SwapConfig()
    folder = RunFolder(checkpoint)
    begun: PlainObject = {"form": to_plain(form), "training": to_plain(training)}
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return TrainedSwapper.load(folder)
        started = time.process_time()
        learnt = [row for row in rows if row.side != "test"]
        if all(len({row.article for row in learnt if row.kind == kind}) < 2 for kind in {row.kind for row in learnt}):
            raise ValueError(
                f"data: expected two or more articles of a kind, got {len(learnt)} rows to learn from without"
            )
        opened = load_worn([_without_truth(row) for row in learnt], form.height, form.width, progress)
        pairs = opened.some(swappable(opened))
        if len(pairs) < 2:
            raise ValueError(
                f"data: expected two or more articles of a kind, each on a person, got {len(opened)} pairs, "
                f"{len(pairs)} of them of such a kind ({len(opened.quarantine)} in quarantine)"
            )
        facts: PlainObject = {"photos": list(pairs.content)}
        begin(folder, begun, facts, resume)
        torch.manual_seed(training.seed)
        network, critic = form.build(), form.critic()
        examples = _examples(pairs, training.seed)

        def shown(epoch: int, now: Swapper) -> None:
            keep_sheet(folder, SHEET, TrainedSwapper(now, training, examples).sheet(), epoch, training.epochs)

        module = SwapTraining(network, critic, training, pairs, shown)
        train_adversaries(module, folder, training.precision, training.device, logger)
        trained = TrainedSwapper(module.average.cpu(), training, examples)
        trained.save(folder)
        report: PlainObject = {
            "pairs": {"used": len(pairs), "seen": len(learnt)},
            "quarantine": [{"address": bad.address, "reason": bad.reason} for bad in opened.quarantine],
            "parameters": {
                "generator": sum(each.numel() for each in network.parameters()),
                "critic": sum(each.numel() for each in critic.parameters()),
            },
            "seconds": {"processor": round(time.process_time() - started, 1)},
            "history": module.history,
        }
        finish(folder, report)
        return trained


@checked
def swap_article(checkpoint: str, person: str, wearing: str, instead: str, *, device: str = "cpu") -> np.ndarray:
    """A photo of a person in another article, and where it was changed.

    Arguments:
        checkpoint: the run of `train_swapper`.
        person: path or address of the photo.
        wearing: of a packshot, on white, of what the person wears.
        instead: of a packshot of what is to be worn in its place.
        device: where to calculate.

    Returns:
        uint8 ``[3, 3, H, W]`` in the size of the run: the photo, where it was changed (α, white for 1), and the swap.

    Raises:
        FileNotFoundError: there is no swap in the folder, or no such photo.
        ValueError: a packshot has nothing on white, or the photo shows nothing of the article.
    """
    with naming("checkpoint", checkpoint):
        trained = TrainedSwapper.load(RunFolder(checkpoint))
    form, given = trained.network.form, []
    for name, address in (("person", person), ("wearing", wearing), ("instead", instead)):
        with naming(name, address):
            pixels = whole_photo(read_photo(address), form.height, form.width)
            if name != "person" and bool((pixels > 234).all()):
                raise ValueError(f"{name}: expected an article on white, got nothing but white in {address}")
            given.append(pixels[None])
    photo, worn, wanted = given
    swapped, alpha = trained.swap(photo, worn, wanted, device=device)
    if float(alpha.max()) < _LEAST:
        raise ValueError(
            f"wearing: expected an article that is worn on {person}, got {wearing}, of which nothing is seen"
        )
    places = (alpha * 255).round().astype(np.uint8)[:, None].repeat(3, axis=1)
    return np.concatenate([photo, places, swapped])


def _without_truth(row: WornRow) -> WornRow:
    return WornRow(row.person, row.article, row.kind, row.side, row.label)


def _examples(pairs: WornPairs, seed: int) -> Tensor:
    return torch.stack(next(iter(SwapBatches(pairs, 1, _EXAMPLES, seed, False))))
