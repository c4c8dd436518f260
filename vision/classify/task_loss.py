"""One loss over several tasks, each known for some articles only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ...datasets.pictures.labels import LabelSpace

ClassWeights = Literal["none", "inverse", "effective"]


def class_weights(counts: np.ndarray, scheme: ClassWeights, *, beta: float = 0.999) -> np.ndarray:
    r"""Class weights of the loss, 1 on average over the classes that occur.

    ``"inverse"``: :math:`w_k \propto 1 / n_k`. ``"effective"``: :math:`w_k \propto (1-\beta)/(1-\beta^{n_k})`,
    which rises less for the rarest classes. A class that does not occur counts 1.

    Source: Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie (2019), arXiv 1901.05555, eq. 4.

    Arguments:
        counts: ``[classes]``, training examples of each class.
        scheme: ``"none"``, ``"inverse"`` or ``"effective"``.
        beta: the β of the effective number; 0 gives equal weights, 1 the inverse frequency.

    Returns:
        ``[classes]``.

    Raises:
        ValueError: the scheme is not known, or beta is out of its range.

    Example:
        >>> class_weights(np.array([30, 10, 0]), "inverse")
        array([0.5, 1.5, 1. ])
    """
    if scheme not in ("none", "inverse", "effective"):
        raise ValueError(f"scheme: expected 'none', 'inverse' or 'effective', got {scheme!r}")
    if not 0 <= beta < 1:
        raise ValueError(f"beta: expected 0 ≤ beta < 1, got {beta}")
    weights = np.ones(len(counts))
    there = counts > 0
    if scheme == "none" or not there.any():
        return weights
    found = counts[there].astype(float)
    raw = 1 / found if scheme == "inverse" else (1 - beta) / (1 - beta**found)
    weights[there] = raw / raw.mean()
    return weights


class TaskLoss(nn.Module):
    """The mean over the tasks of a masked loss: cross-entropy of a class, binary cross-entropy of facets.

    Articles whose label is missing, or was never seen in training, do not count in that task; a task that no
    article of the batch answers does not count in the mean.

    Arguments:
        labels: the tasks.
        targets: the codes of the training articles, from `LabelSpace.encode`, which the weights are drawn from.
        weights: how classes are weighted, see `class_weights`; for facets the weight of a yes is the number of
            noes for each yes (``"inverse"``) or its square root (``"effective"``).
        beta: the β of the effective number.
        smoothing: label smoothing of the cross-entropy, 0…1.
    """

    def __init__(
        self,
        labels: LabelSpace,
        targets: Mapping[str, np.ndarray],
        *,
        weights: ClassWeights = "none",
        beta: float = 0.99,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.labels, self.smoothing = labels, smoothing
        for number, task in enumerate(labels.tasks):
            codes = targets[task.name]
            weight = (
                _facet_weights(codes, weights)
                if task.facets
                else _code_weights(codes, len(task.classes), weights, beta)
            )
            self.register_buffer(f"weight_{number}", torch.tensor(weight, dtype=torch.float32), persistent=False)

    def forward(self, logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
        """Logits ``[B, classes]`` and codes ``[B]`` (facets ``[B, classes]``) of each task to one number."""
        losses = []
        for number, task in enumerate(self.labels.tasks):
            weight = self.get_buffer(f"weight_{number}")
            said, target = logits[task.name].float(), targets[task.name]
            known = ~target.isnan().any(dim=1) if task.facets else target >= 0
            if not bool(known.any()):
                continue
            if task.facets:
                losses.append(
                    nn.functional.binary_cross_entropy_with_logits(said[known], target[known], pos_weight=weight)
                )
            else:
                losses.append(
                    nn.functional.cross_entropy(
                        said[known], target[known], weight=weight, label_smoothing=self.smoothing
                    )
                )
        if not losses:
            return torch.stack([values.sum() for values in logits.values()]).sum() * 0.0
        return torch.stack(losses).mean()


def _code_weights(codes: np.ndarray, classes: int, scheme: ClassWeights, beta: float) -> np.ndarray:
    return class_weights(np.bincount(codes[codes >= 0], minlength=classes), scheme, beta=beta)


def _facet_weights(codes: np.ndarray, scheme: ClassWeights) -> np.ndarray:
    known = codes[~np.isnan(codes).any(axis=1)]
    yes = known.sum(axis=0)
    if scheme == "none":
        return np.ones(codes.shape[1])
    ratio = np.where(yes > 0, (len(known) - yes) / np.maximum(yes, 1), 1.0).clip(min=1e-3)
    return ratio if scheme == "inverse" else np.sqrt(ratio)
