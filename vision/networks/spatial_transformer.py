"""Look at the article, not at its surroundings: a learned crop, turn and zoom."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SpatialTransformer(nn.Module):
    """Warp each image by an affine map that a small network reads off the image itself.

    The last layer starts at zero with the identity as its bias: an untrained warp changes nothing.

    Source: M. Jaderberg, K. Simonyan, A. Zisserman, K. Kavukcuoglu (2015), arXiv 1506.02025, §3.

    Arguments:
        channels: channels of the image.
        width: channels of the small network.

    Example:
        >>> images = torch.rand(2, 3, 16, 16)
        >>> torch.allclose(SpatialTransformer(3)(images), images, atol=1e-5)
        True
    """

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(channels, width, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(16 * width, 32),
            nn.ReLU(),
        )
        self.affine = nn.Linear(32, 6)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, images: Tensor) -> Tensor:
        """``[N, C, H, W]`` to the warped ``[N, C, H, W]``; outside the image lies its border."""
        theta = self.affine(self.look(images)).reshape(-1, 2, 3)
        grid = nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
        return nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
