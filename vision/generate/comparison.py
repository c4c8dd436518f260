"""How good generated images are: their features against those of photos, beside images that need no network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ...datasets.pictures.source import Progress, Source
from ...datasets.pictures.split import ArticleSplit
from ...evaluation.scores.generated import (
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold_scores,
    nearest_distances,
)
from ...runtime.arguments.kinds import Count, Seed, checked
from ...runtime.arguments.naming import naming
from ...runtime.plain import made_of
from ...runtime.run_folder import RunFolder
from ..embed.encoder import ArticleEncoder
from ..networks.product_network import ProductNetwork
from .baselines import BASELINES
from .generate import SPLIT, Examples, training_examples
from .networks.network import Truncation
from .trained import TrainedGenerator

_AT_ONCE = 256


@dataclass(frozen=True)
class FeatureNetwork:
    """What images are compared by.

    Arguments:
        encoder: the network; a classifier's also says of which class an image is.
        task: the task of the classifier whose classes are those of the generator; ``None`` if it has none.
    """

    encoder: ArticleEncoder
    task: str | None = None

    @property
    def network(self) -> ProductNetwork:
        """Photos to vectors, and to logits where it is a classifier's."""
        return self.encoder.network

    def features(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The vectors of images, and the probabilities of their classes.

        Arguments:
            images: uint8 ``[n, C, S, S]``.

        Returns:
            float32 ``[n, F]``, and ``[n, classes]``, ``None`` without a task.
        """
        vectors, shares = [], []
        network = self.network.eval()
        with torch.inference_mode():
            for some in torch.from_numpy(images).split(_AT_ONCE):
                seen = network.photo_vectors(network.prepare(some))
                vectors.append(seen.float())
                if self.task is not None:
                    logits = network.judge_vectors(seen, torch.arange(len(some)), len(some))[self.task]
                    shares.append(logits.float().softmax(dim=1))
        return torch.cat(vectors).numpy(), torch.cat(shares).numpy() if shares else None


@checked
def score_generator(
    checkpoint: str,
    source: Source,
    features: str,
    *,
    count: Count = 10_000,
    neighbours: Count = 5,
    truncation: Truncation | None = None,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Scores of generated images against photos of the training side, beside rows that need no network.

    The rows are the generator, photos of the test side (what the best there could be reaches), and `BASELINES`. All
    have as many images, with the classes of the test photos, and are compared with as many training photos; the
    distance to the nearest is to all of them.

    Arguments:
        checkpoint: the run of a generator.
        source: the catalogue that it was trained on.
        features: the run of a classifier, or the name of a backbone, whose vectors of images are compared; part of
            every number.
        count: images of a row, at most the photos of the smaller side.
        neighbours: k of precision, recall, density and coverage.
        truncation: see `TrainedGenerator.sample`.
        seed: draws images and photos.
        progress: called with the photos opened and all photos.

    Returns:
        A row for each kind of images: ``images, frechet, kernel, precision, recall, density, coverage, nearest`` (the
        median distance to the nearest training photo), ``inception`` and ``accuracy`` where the features are of a
        classifier of the same classes, ``features`` (the name of the network with a digest of its weights) and
        ``count``.

    Raises:
        ValueError: there is no test side, or the classifier knows other classes than the generator.
    """
    folder = RunFolder(checkpoint)
    trained = TrainedGenerator.load(folder)
    spec = trained.network.spec
    split = made_of(folder.read_json(SPLIT), ArticleSplit)
    with naming("features", features):
        judge = feature_network(features, trained)
    pictures = source.load(spec.size, channels=spec.channels, progress=progress)
    if not split.test:
        raise ValueError(f"data: expected articles on the test side of {checkpoint}, got none")
    learnt, held_out = (
        training_examples(source, pictures, side, trained.task, spec.classes) for side in (split.train, split.test)
    )
    rng = np.random.default_rng(seed)
    count = min(count, len(held_out.images), len(learnt.images))
    chosen = rng.permutation(len(held_out.images))[:count]
    labels = _labels(held_out)[chosen]
    made = {
        "generator": trained.sample(
            count, labels=labels.tolist() if spec.classes else None, truncation=truncation, seed=seed
        )[0],
        "held-out photos": held_out.images.numpy()[chosen],
    }
    photos, known = learnt.images.numpy(), _labels(learnt)
    made |= {name: draw(photos, known, labels, rng) for name, draw in BASELINES.items()}
    everything, _ = judge.features(photos)
    among = everything[rng.permutation(len(everything))[:count]]
    rows = []
    for name, images in made.items():
        found, shares = judge.features(images)
        row: dict[str, object] = {
            "images": name,
            "frechet": frechet_distance(among, found),
            "kernel": kernel_distance(among, found, seed=seed),
            **manifold_scores(among, found, neighbours)._asdict(),
            "nearest": float(np.median(nearest_distances(found, everything))),
        }
        if shares is not None:
            row |= {"inception": inception_score(shares), "accuracy": float((shares.argmax(axis=1) == labels).mean())}
        rows.append({**row, "features": judge.encoder.name, "count": count})
    return pd.DataFrame(rows)


def feature_network(features: str, trained: TrainedGenerator) -> FeatureNetwork:
    """The network of a classifier's run, or a backbone by name.

    Raises:
        ValueError: the classifier knows other classes of the generator's task, in another order, or takes images of
            other channels.
    """
    if not RunFolder(features).has("model.json"):
        encoder, task = ArticleEncoder.of_backbone(features), None
    else:
        encoder = ArticleEncoder.of_run(features)
        told = {each.name: each.classes for each in encoder.network.labels.tasks}
        task = trained.task if trained.task in told else None
        if task is not None and told[task] != trained.network.spec.classes:
            raise ValueError(
                f"features: expected a classifier of the {len(trained.network.spec.classes)} classes of the generator, "
                f"got one of {len(told[task])}: {', '.join(told[task][:5])}"
            )
    return FeatureNetwork(encoder, task)


def _labels(examples: Examples) -> np.ndarray:
    if examples.labels is None:
        return np.zeros(len(examples.images), dtype=np.int64)
    found: np.ndarray = examples.labels.numpy()
    return found
