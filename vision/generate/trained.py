"""A trained generator on disk, and the images that are drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.arguments.naming import naming
from ...runtime.display.showing import Shown
from ...runtime.plain import Plain, PlainObject, from_plain, made_of, to_plain
from ...runtime.reading.weights import network_with_tensors
from ...runtime.run_folder import RunFolder
from ..names import NAMES
from .networks.network import Generator, GeneratorForm, ImageSpec, Truncation
from .recipes import Recipe

WEIGHTS, GENERATOR = "generator.safetensors", "generator.json"

_AT_ONCE = 256


@dataclass(frozen=True, repr=False)
class TrainedGenerator(Shown):
    """A generator with the recipe that it was trained by.

    Arguments:
        network: the running mean of the weights, in evaluation mode.
        recipe: the forms and options.
        task: the label column whose classes it knows; ``None`` where it knows none.
        shares: how frequent each class was among the photos.
    """

    network: Generator
    recipe: Recipe
    task: str | None = None
    shares: tuple[float, ...] = ()

    def _shown(self) -> dict[str, object]:
        """Images, classes, parameters and recipe."""
        spec = self.network.spec
        count = sum(each.numel() for each in self.network.parameters())
        shape = f"{spec.channels} × {spec.size} × {spec.size}"
        return {"images": shape, "classes": list(spec.classes), "parameters": count, "recipe": self.recipe.about}

    @checked
    def sample(
        self,
        count: Count,
        *,
        label: str | None = None,
        labels: Sequence[int] | None = None,
        truncation: Truncation | None = None,
        seed: Seed = 0,
        device: str = "cpu",
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Images, and the class of each.

        Arguments:
            count: how many.
            label: the class of all; by default classes are drawn as frequent as they were among the photos.
            labels: the class of each, as numbers.
            truncation: smaller for images nearer to the middle of what was learnt, with fewer that fail and fewer that
                differ: the bound of the latents, or for styles the share of the way from their mean.
            seed: draws latents and classes.
            device: where to calculate.

        Returns:
            uint8 ``[count, channels, size, size]``, and int64 ``[count]``, ``None`` where there are no classes.

        Raises:
            ValueError: there is no such class.
        """
        draws = torch.Generator().manual_seed(seed)
        latents = torch.randn(count, self.network.latent, generator=draws)
        chosen = self._classes(count, label, labels, draws)
        network = self.network.to(device).eval()
        found = []
        with torch.inference_mode():
            for first in range(0, count, _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                images = network(
                    latents[some].to(device), None if chosen is None else chosen[some].to(device), truncation
                )
                found.append(as_bytes(images))
        return np.concatenate(found), None if chosen is None else chosen.numpy()

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON, which is the sign that both are there."""
        folder.write_tensors(WEIGHTS, self.network.state_dict())
        described: PlainObject = {
            "spec": to_plain(self.network.spec),
            "recipe": to_plain(self.recipe),
            "task": self.task,
            "shares": list(self.shares),
        }
        folder.write_json(GENERATOR, described)

    @classmethod
    def load(cls, folder: RunFolder) -> TrainedGenerator:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no generator in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(GENERATOR)
            spec = made_of(told["spec"], ImageSpec)
            recipe = stored_recipe(told["recipe"])
            network = network_with_tensors(
                lambda: recipe.generator.build(spec), folder.read_tensors(WEIGHTS), folder.path(WEIGHTS), told["recipe"]
            )
            task = None if told["task"] is None else str(told["task"])
            return cls(network.eval(), recipe, task, tuple(float(share) for share in told["shares"]))

    def _classes(
        self, count: int, label: str | None, labels: Sequence[int] | None, draws: torch.Generator
    ) -> torch.Tensor | None:
        classes = self.network.spec.classes
        if not classes:
            if label is not None or labels is not None:
                raise ValueError(f"label: expected none of a generator without classes, got {label or labels!r}")
            return None
        if label is not None:
            if label not in classes:
                raise ValueError(f"label: expected one of {', '.join(classes)}, got {label!r}")
            return torch.full((count,), classes.index(label))
        if labels is not None:
            chosen = torch.as_tensor(np.asarray(labels, dtype=np.int64))
            if chosen.shape != (count,) or not 0 <= int(chosen.min()) <= int(chosen.max()) < len(classes):
                raise ValueError(
                    f"labels: expected {count} numbers from 0 to {len(classes) - 1}, got {list(labels)[:5]}"
                )
            return chosen
        return torch.multinomial(torch.tensor(self.shares), count, replacement=True, generator=draws)


@checked
def generate_photos(
    checkpoint: str,
    count: Count,
    *,
    label: str | None = None,
    truncation: Truncation | None = None,
    seed: Seed = 0,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Images from a trained generator, and the class of each.

    Arguments:
        checkpoint: folder or fsspec address of the run of `train_generator`.
        count: how many.
        label: the class of all; by default classes are drawn as frequent as they were among the photos.
        truncation: see `TrainedGenerator.sample`.
        seed: draws them.

    Returns:
        uint8 ``[count, channels, size, size]``, and the label of each, none where the generator knows no classes.

    Raises:
        FileNotFoundError: there is no generator.
        ValueError: there is no such class, or a file is broken.
    """
    trained = TrainedGenerator.load(RunFolder(checkpoint))
    images, labels = trained.sample(count, label=label, truncation=truncation, seed=seed)
    classes = trained.network.spec.classes
    return images, () if labels is None else tuple(classes[number] for number in labels)


def stored_recipe(told: Plain) -> Recipe:
    """The recipe that a file describes.

    Raises:
        ValueError: it names another class than the forms of networks.
    """
    found = from_plain(told, NAMES)
    if not isinstance(found, Recipe) or not isinstance(found.generator, GeneratorForm):
        raise ValueError(f"recipe: expected forms of networks and options, got {type(found).__name__}")
    return found


def as_bytes(images: torch.Tensor) -> np.ndarray:
    """Images −1…1 as uint8, 0…255."""
    levels: np.ndarray = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return levels
