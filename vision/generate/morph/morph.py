"""Train a network that changes poses, keep it in a folder, and bring people into other poses with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from ....datasets.pictures.poses import PosePairs
from ....runtime.arguments.kinds import checked
from ....runtime.arguments.naming import naming
from ....runtime.display.showing import Shown
from ....runtime.plain import PlainObject, made_of, to_plain
from ....runtime.reading.weights import network_with_tensors
from ....runtime.run_folder import RunFolder
from ....runtime.training.resume import REPORT, begin, check_begun, finish
from ..adversarial.precision import precision_here
from ..adversarial.running import keep_sheet, train_adversaries
from ..trained import as_bytes
from .drawing import morph_sheet
from .network import Morph, MorphForm
from .terms import FixedFeatures
from .training import MorphConfig, MorphTraining

WEIGHTS, MORPH, SHEET = "morph.safetensors", "morph.json", "morphs.png"

_AT_ONCE, _SHOWN = 32, 6


@dataclass(frozen=True, repr=False)
class TrainedMorph(Shown):
    """A network that changes poses, with its options.

    Arguments:
        network: the running mean of the weights, in evaluation mode.
        training: how it was trained.
    """

    network: Morph
    training: MorphConfig

    def _shown(self) -> dict[str, object]:
        """Size, layout, attention, parameters and training."""
        count, form = sum(each.numel() for each in self.network.parameters()), self.network.form
        told = {"size": form.size, "poses": form.skeleton.name, "attention": form.attention}
        return {**told, "parameters": count, "training": self.training}

    def morph(self, photos: np.ndarray, source: np.ndarray, target: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Photos of the same people in other poses.

        Arguments:
            photos: uint8 ``[n, 3, S, S]``.
            source: their joints ``[n, J, 2]``, pixels; NaN where one is missing.
            target: the joints of the other poses.
            device: where to calculate.

        Returns:
            uint8 ``[n, 3, S, S]``.

        Raises:
            ValueError: photos have another size, or poses another layout, than those that were learnt from.
        """
        self.check(photos, source, target)
        network, found = self.network.to(device).eval(), []
        with torch.inference_mode():
            for first in range(0, len(photos), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                images, *poses = (torch.from_numpy(each[some]).to(device) for each in (photos, source, target))
                found.append(as_bytes(network(images.float() / 127.5 - 1, *poses)))
        return np.concatenate(found)

    def looking_at(self, patches: int | None) -> TrainedMorph:
        """The same weights, with another number of patches that each place looks at; ``None`` for that of training.

        More than it was trained with is usually better, and takes longer.
        """
        if patches is None:
            return self
        partition = replace(self.network.form.partition, patches=patches)
        network = replace(self.network.form, partition=partition).build()
        network.load_state_dict(self.network.state_dict())
        return replace(self, network=network.eval())

    def check(self, photos: np.ndarray, source: np.ndarray, target: np.ndarray) -> None:
        """Refuse photos of another size, and poses of another layout, than those that were learnt from.

        Raises:
            ValueError: names the argument, what was expected and what was given.
        """
        form = self.network.form
        if photos.shape[1:] != (3, form.size, form.size):
            raise ValueError(f"photos: expected {form.size} × {form.size} pixels, got {list(photos.shape[1:])}")
        for name, joints in (("source", source), ("target", target)):
            if joints.shape[1:] != (form.points, 2):
                layout = f"{form.points} points ({form.skeleton.name}), as the network has learnt"
                raise ValueError(f"{name}: expected poses of {layout}, got {joints.shape[1]}")

    def looked_at(self, photo: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[Tensor, Tensor]:
        """Queries and keys at the full side of one photo ``[3, S, S]``: what `attended` and `captured_mass` ask for.

        Raises:
            ValueError: the network does not copy.
        """
        images, *poses = (torch.from_numpy(each[None]) for each in (photo, source, target))
        with torch.inference_mode():
            return self.network.queries_and_keys(images.float() / 127.5 - 1, *poses)

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON, which is the sign that both are there."""
        folder.write_tensors(WEIGHTS, self.network.state_dict())
        described: PlainObject = {"form": to_plain(self.network.form), "training": to_plain(self.training)}
        folder.write_json(MORPH, described)

    @classmethod
    def load(cls, folder: RunFolder) -> TrainedMorph:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no such network in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(MORPH)
            form = made_of(told["form"], MorphForm)
            network = network_with_tensors(form.build, folder.read_tensors(WEIGHTS), folder.path(WEIGHTS), told["form"])
            return cls(network.eval(), made_of(told["training"], MorphConfig))


@checked
def train_morph(
    pairs: PosePairs,
    checkpoint: str,
    *,
    form: MorphForm | None = None,
    training: MorphConfig | None = None,
    features: str = "auto",
    resume: bool = False,
    logger: Logger | Sequence[Logger] | None = None,
) -> TrainedMorph:
    """Train a network that changes poses on pairs of photos and write the run.

    The run holds ``morph.safetensors``, ``morph.json``, the sheet ``morphs.png`` with earlier ones in ``sheets/``, and
    ``report.json``; while it trains also ``last.ckpt``, from which a killed training goes on.

    Arguments:
        pairs: photos and poses.
        checkpoint: folder or fsspec address of the run.
        form: of the network; by default that of the size and the layout of the pairs.
        training: how to train.
        features: by what the perceptual loss sees: the run of a classifier, a backbone by name, or ``"auto"`` for the
            first with weights installed.
        resume: go on with the killed training in `checkpoint`.
        logger: one or several of ``lightning.pytorch.loggers``.

    Returns:
        The network.

    Raises:
        ValueError: the folder already holds a run, the form is of another size or layout than the pairs, or `resume` is
            asked of a run begun with other options or photos.
        FloatingPointError: a loss became NaN or infinite; the state of the last whole epoch is kept.
    """
    points = len(pairs.skeleton.joints)
    form, training = form or MorphForm(size=pairs.size, points=points), training or MorphConfig()
    if (form.size, form.points) != (pairs.size, points):
        raise ValueError(
            f"form: expected {pairs.size} pixels and {points} points, as the photos have, got {form.size} and "
            f"{form.points}"
        )
    folder = RunFolder(checkpoint)
    begun: PlainObject = {"form": to_plain(form), "training": to_plain(training), "features": features}
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return TrainedMorph.load(folder)
        started = time.process_time()
        seen = FixedFeatures.named(features) if training.perceptual else None
        facts: PlainObject = {"photos": pairs.digest(), "features": None if seen is None else seen.encoder.name}
        begin(folder, begun, facts, resume)
        torch.manual_seed(training.seed)
        network, critic = form.build(), form.critic() if training.adversarial else None
        few = _few(pairs)

        def shown(epoch: int, now: Morph) -> None:
            content = morph_sheet(pairs, few, {"made": TrainedMorph(now, training).morph})
            keep_sheet(folder, SHEET, content, epoch, training.epochs)

        module = MorphTraining(network, critic, training, pairs, seen, shown)
        train_adversaries(module, folder, training.precision, training.device, logger)
        trained = TrainedMorph(module.average.cpu(), training)
        trained.save(folder)
        report: PlainObject = {
            "photos": len(pairs.images),
            "pairs": len(pairs.pairs),
            "parameters": sum(each.numel() for each in network.parameters()),
            "precision": precision_here(training.precision, training.device),
            "seconds": {"processor": round(time.process_time() - started, 1)},
            "history": module.history,
        }
        finish(folder, report)
        return trained


def _few(pairs: PosePairs) -> np.ndarray:
    """Pairs to show while it trains: held-out ones where there are some, spread over all."""
    among = pairs.held_out if len(pairs.held_out) else pairs.pairs
    return among[np.unique(np.linspace(0, len(among) - 1, _SHOWN).round().astype(int))]
