"""A frozen network that turns articles into vectors, with a name that says exactly which one it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.photos import Pictures
from ...runtime.digest import sha256_of
from ...runtime.run_folder import RunFolder
from ..classify.classifier import Classifier
from ..networks.article_batches import ArticleBatches
from ..networks.known_backbones import build_backbone
from ..networks.preprocessing import Preprocessing
from ..networks.product_network import NetworkConfig, ProductNetwork


@dataclass(frozen=True)
class ArticleEncoder:
    """Photos of an article to one vector.

    Arguments:
        network: its `embed` makes the vectors; in evaluation mode.
        name: what it is, and the first digits of the SHA-256 of its weights.
        pooling: how a photo, and then an article, becomes one vector, in words.
        max_images: photos an article, at most.
    """

    network: ProductNetwork
    name: str
    pooling: str
    max_images: int | None = None

    @classmethod
    def of_run(cls, checkpoint: str) -> ArticleEncoder:
        """The network of a classifier's run, up to its last dense layer."""
        classifier = Classifier.load(RunFolder(checkpoint))
        network = classifier.network
        pooling = f"{network.backbone.pooling}, dense, {network.config.pooling} over photos, dense"
        tasks = "+".join(task.name for task in network.labels.tasks)
        return cls(network, f"{network.backbone.name}:{tasks}@{_digest(network)}", pooling, classifier.max_images)

    @classmethod
    def of_backbone(cls, name: str, *, size: int | None = None, seed: int = 0) -> ArticleEncoder:
        """A backbone alone, see `build_backbone`; the seed draws its weights where it has none."""
        torch.manual_seed(seed)
        backbone = build_backbone(name, size=size)
        plain = NetworkConfig(backbone=name, size=size, pooling="mean", hidden=0, dropout=0.0)
        network = ProductNetwork(backbone=backbone, labels=LabelSpace(()), config=plain).eval()
        return cls(network, f"{backbone.name}@{_digest(network)}", f"{backbone.pooling}, mean over photos")

    def learnt_further(self, from_what: str) -> ArticleEncoder:
        """The same encoder under the name of its weights as they are now, after a training on something."""
        return replace(self, name=f"{self.name.partition('@')[0]}+{from_what}@{_digest(self.network)}")

    @property
    def preprocessing(self) -> Preprocessing:
        """How photos are to be decoded."""
        return self.network.backbone.preprocessing

    def encode(self, pictures: Pictures, articles: int, *, device: str = "cpu", batch_size: int = 256) -> np.ndarray:
        """Vectors of all articles of a catalogue.

        Arguments:
            pictures: the photos of the catalogue.
            articles: how many articles it has.
            device: where to calculate.
            batch_size: articles at a time.

        Returns:
            float32 ``[articles, F]``; zero for an article without a photo.
        """
        network = self.network.to(device).for_inference()
        vectors = np.zeros((articles, network.features), dtype=np.float32)
        rows = np.flatnonzero(pictures.counts(articles))
        with torch.inference_mode():
            for batch in ArticleBatches(pictures, {}, rows, batch_size=batch_size):
                moved = batch.to(torch.device(device))
                found: Tensor = network.embed(moved.pixels, moved.article, len(moved))
                vectors[batch.rows.numpy()] = found.float().cpu().numpy()
        return vectors


def _digest(network: nn.Module) -> str:
    weights = sorted(network.state_dict().items())
    return sha256_of(*(part for name, value in weights for part in (name, value.detach().cpu().numpy())))[:12]


def open_encoder(described: dict[str, str]) -> ArticleEncoder:
    """The encoder that an annotator or a command names: ``{"run": …}`` or ``{"backbone": …}``.

    Raises:
        ValueError: its weights are not those of training.
    """
    if "run" in described:
        encoder = ArticleEncoder.of_run(described["run"])
    else:
        encoder = ArticleEncoder.of_backbone(described["backbone"])
    if "name" in described and encoder.name != described["name"]:
        raise ValueError(f"encoder: expected the weights of training, {described['name']}, got {encoder.name}")
    return encoder
