"""Terms of the loss of a change of pose, and the fixed network that one of them sees images with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ....runtime.run_folder import RunFolder
from ...embed.encoder import ArticleEncoder

_LAST_MAP = 3
"""Number of the last map of a backbone that is compared: at a quarter of the side in EfficientNet-Lite."""


def absolute_term(images: Tensor, photos: Tensor) -> Tensor:
    """Mean absolute difference (L1) of images and photos ``[B, C, S, S]``."""
    return (images - photos).abs().mean()


def perceptual_term(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """How far features of images are from those of photos: ``mean_l Σ |f_l − w_l| / Σ |w_l|`` over depths l.

    Arguments:
        found: maps ``[B, C_l, h_l, w_l]`` of images, at each depth.
        wanted: likewise, of photos.

    Source: as a loss J. Johnson et al. (2016), arXiv 1603.08155, equation 2; here absolute differences, in shares of
    the size of the features, so that no depth outweighs the others.
    """
    shares = [
        (one - other).abs().sum() / other.abs().sum().clamp_min(1e-6) for one, other in zip(found, wanted, strict=True)
    ]
    return torch.stack(shares).mean()


@dataclass(frozen=True)
class FixedFeatures:
    """A network that is not trained here, by whose features images are compared.

    Arguments:
        encoder: in evaluation mode; its parameters ask for no gradient.
    """

    encoder: ArticleEncoder

    @classmethod
    def named(cls, features: str) -> FixedFeatures:
        """The network of a classifier's run, or a backbone by name; ``"auto"`` for the first with weights installed.

        Raises:
            ValueError: there is no such backbone, or it does not see colours.
        """
        run = features != "auto" and RunFolder(features).has("model.json")
        encoder = ArticleEncoder.of_run(features) if run else ArticleEncoder.of_backbone(features)
        if (channels := encoder.preprocessing.channels) != 3:
            raise ValueError(f"features: expected a network of photos in colour, got one of {channels} channel")
        encoder.network.eval().requires_grad_(False)
        return cls(encoder)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Maps at the first depths of images −1…1 ``[B, 3, S, S]``, at their own size."""
        network = self.encoder.network.to(images.device)
        return network.backbone.maps(network.prepare.normalise((images + 1) / 2), last=_LAST_MAP)
