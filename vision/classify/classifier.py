"""A trained product network on disk."""

from __future__ import annotations

import platform
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...datasets.pictures.labels import LabelSpace
from ...runtime.arguments.naming import naming
from ...runtime.display.showing import Shown
from ...runtime.plain import PlainObject, made_of, to_plain
from ...runtime.reading.weights import network_with_tensors
from ...runtime.run_folder import RunFolder
from ..networks.efficientnet_lite import FORMS, EfficientNetLite
from ..networks.product_network import ProductNetwork, label_space, network_form
from .options import TrainConfig

WEIGHTS, MODEL = "model.safetensors", "model.json"

SHIPPED = str(Path(__file__).parent / "shipped")
"""The run that comes with the package: ten kinds of clothes, on the features of an installed backbone."""


@dataclass(frozen=True, repr=False)
class Classifier(Shown):
    """A trained product network with its training options.

    Arguments:
        network: the network, in evaluation mode.
        training: how it was trained.
        max_images: photos an article, at most.
    """

    network: ProductNetwork
    training: TrainConfig
    max_images: int | None = None

    def _shown(self) -> dict[str, object]:
        """Tasks with their number of classes, backbone, parameters and training."""
        tasks = [f"{task.name} ({len(task.classes)})" for task in self.network.labels.tasks]
        count = sum(each.numel() for each in self.network.parameters())
        backbone = self.network.config.backbone
        return {"tasks": tasks, "backbone": backbone, "parameters": count, "training": self.training}

    @property
    def both_views(self) -> bool:
        """Whether it was trained on the vectors of each photo and of its mirror image."""
        augment = self.training.augment
        return self.training.frozen and augment is not None and augment.mirror > 0

    def save(self, folder: RunFolder, *, installed: bool = False) -> None:
        """Write the weights as safetensors and all else as JSON.

        Arguments:
            folder: where.
            installed: leave out the weights of the backbone, which an installed package holds.

        Raises:
            ValueError: these are to be left out and no package holds them.
        """
        weights = self.network.state_dict()
        if installed:
            held = _installed_backbone(self.network.backbone.name)
            if any(name not in weights or not torch.equal(weights[name], value) for name, value in held.items()):
                raise ValueError("checkpoint: expected a backbone that stayed as it was installed, got one that learnt")
            weights = {name: value for name, value in weights.items() if name not in held}
        folder.write_tensors(WEIGHTS, weights)
        described = {
            "network": to_plain(self.network.form),
            "training": to_plain(self.training),
            "max_images": self.max_images,
            "installed": installed,
        }
        folder.write_json(MODEL, described)

    @classmethod
    def load(cls, folder: RunFolder) -> Classifier:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no model in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            described = folder.read_json(MODEL)
            form, tensors = described["network"], folder.read_tensors(WEIGHTS)
            if described.get("installed", False):
                tensors = {**tensors, **_installed_backbone(network_form(form).config.backbone)}
            network = network_with_tensors(lambda: network_form(form).build(), tensors, folder.path(WEIGHTS), form)
            return cls(network.eval(), made_of(described["training"], TrainConfig), described["max_images"])


def _installed_backbone(name: str) -> dict[str, Tensor]:
    """The weights of a pretrained backbone as a product network names them.

    Raises:
        ValueError: no package holds weights of this name.
    """
    if name not in FORMS:
        raise ValueError(f"checkpoint: expected a backbone of {list(FORMS)}, whose weights are a package, got {name!r}")
    return {f"backbone.{key}": value for key, value in EfficientNetLite.with_weights(name).state_dict().items()}


def stored_labels(folder: RunFolder) -> LabelSpace:
    """The tasks of a run and their classes, without its weights.

    Raises:
        FileNotFoundError: there is no model in the folder.
        ValueError: its file is broken.
    """
    with naming("checkpoint", folder.address):
        return label_space(folder.read_json(MODEL)["network"])


def machine() -> PlainObject:
    """The machine and versions that a figure comes from."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        // (2**20 if sys.platform == "darwin" else 2**10),
    }
