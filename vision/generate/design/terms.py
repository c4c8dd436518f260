"""Terms of the loss that tie an image to its conditions: colour, the same colour, the same structure, the ground.

Source of all but `pattern_similarity`: G. Yildirim et al. (2018), arXiv 1806.07819, equations 2 to 6; images here are
−1…1 and terms are means over images.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from .masks import mean_colours


def colour_term(images: Tensor, masks: Tensor, colours: Tensor) -> Tensor:
    """Squared distance of the mean colour within the mask to the colour that was asked for.

    Arguments:
        images: ``[B, 3, S, S]``.
        masks: ``[B, 1, S, S]``, 0…1.
        colours: ``[B, 3]``, −1…1.
    """
    return (mean_colours(images, masks) - colours).square().sum(dim=1).mean()


def same_colour_term(first: Tensor, second: Tensor, masks: Tensor) -> Tensor:
    """Squared distance of the mean colours of two textures in the same mask, asked for in the same colour."""
    return (mean_colours(first, masks) - mean_colours(second, masks)).square().sum(dim=1).mean()


def structure_term(first: Tensor, second: Tensor) -> Tensor:
    """How badly each image is a local colour line of the other, of the same texture in another colour.

    Arguments:
        first: ``[B, 3, S, S]``.
        second: likewise, the same textures and masks in other colours.
    """
    return matting_cost(first, second) + matting_cost(second, first)


def ground_term(images: Tensor, masks: Tensor) -> Tensor:
    """Mean absolute distance to white outside the mask, over all pixels."""
    return ((1 - images).abs() * (1 - masks)).mean()


def contrast_term(images: Tensor, masks: Tensor, photos: Tensor, own: Tensor) -> Tensor:
    """Squared distance of the mean logarithms of two contrasts: that of designs and that of photos.

    The contrast is the standard deviation of the brightness within the mask. A term of our own: a critic that cannot
    be deceived otherwise is met half way, by patterns fainter than those of photos.

    Arguments:
        images: designs, ``[B, 3, S, S]``.
        masks: ``[B, 1, S, S]``, 0…1.
        photos: ``[N, 3, S, S]``.
        own: masks of the photos.
    """
    means = []
    for each, inside in ((images, masks), (photos, own)):
        spread = _apart(each, inside).square().sum(dim=1) / inside.sum(dim=(1, 2, 3)).clamp_min(1e-6)
        means.append((spread + 1e-4).log().mean() / 2)
    return (means[0] - means[1]).square()


def matting_cost(values: Tensor, guides: Tensor, smoothness: float = 1e-4) -> Tensor:
    """``tr(x L xᵀ) / (H W)`` with the matting Laplacian L of a guide, the mean over the batch.

    In each 3 × 3 window it is what an affine function of the guide's colours leaves of each channel of the values, with
    a ridge on its slope: ``Σ_k min_{a,b} Σ_{i∈k} (x_i − aᵀ I_i − b)² + ε ‖a‖²``, solved in closed form by the window's
    means and covariances, so that no matrix over pixels is made.

    Arguments:
        values: ``[B, C, H, W]``.
        guides: ``[B, 3, H, W]``.
        smoothness: ε, the ridge.

    Source: A. Levin et al. (2008), doi:10.1109/TPAMI.2007.1177, equations 12 and 13; summed over the windows within
    the image.
    """
    pixels = 9
    means = avg_pool2d(torch.cat([values, guides], dim=1), 3, stride=1)
    count = values.shape[1]

    def covariance(one: Tensor, other: Tensor, one_mean: Tensor, other_mean: Tensor) -> Tensor:
        products = (one[:, :, None] * other[:, None]).flatten(1, 2)
        found = avg_pool2d(products, 3, stride=1).unflatten(1, (one.shape[1], other.shape[1]))
        return found - one_mean[:, :, None] * other_mean[:, None]

    value_mean, guide_mean = means[:, :count], means[:, count:]
    variance = avg_pool2d(values.square(), 3, stride=1) - value_mean.square()
    between = covariance(values, guides, value_mean, guide_mean).unbind(2)
    within = covariance(guides, guides, guide_mean, guide_mean)
    left = pixels * (variance - _explained(within, between, smoothness / pixels))
    return left.sum(dim=(1, 2, 3)).mean() / (values.shape[-1] * values.shape[-2])


def _explained(within: Tensor, between: tuple[Tensor, ...], ridge: float) -> Tensor:
    """``bᵀ (W + ridge)⁻¹ b`` of windows, ``[B, C, H, W]``, by the LDLᵀ factors of the 3 × 3 matrices, written out.

    Arguments:
        within: W, ``[B, 3, 3, H, W]``.
        between: the three numbers b, ``[B, C, H, W]`` each.
        ridge: what is added to the diagonal.
    """
    (first, below, last), (_, middle, beside), (_, _, corner) = (row.unbind(1) for row in within.unbind(1))
    first = first + ridge
    one, two = below / first, last / first
    second = middle + ridge - one * below
    three = (beside - two * below) / second
    third = corner + ridge - two * last - three.square() * second
    red, green, blue = between
    green = green - one[:, None] * red
    blue = blue - two[:, None] * red - three[:, None] * green
    return red.square() / first[:, None] + green.square() / second[:, None] + blue.square() / third[:, None]


def pattern_similarity(first: Tensor, second: Tensor, masks: Tensor) -> Tensor:
    """The correlation over the pixels of the mask of the brightness of two images, ``[B]``.

    Arguments:
        first: ``[B, 3, S, S]``.
        second: likewise.
        masks: ``[B, 1, S, S]``, 0…1.
    """
    one, other = _apart(first, masks), _apart(second, masks)
    products = (one * other).sum(dim=1)
    return products / (one.square().sum(dim=1) * other.square().sum(dim=1) + 1e-8).sqrt()


def _apart(images: Tensor, masks: Tensor) -> Tensor:
    """What the brightness differs by from its mean within the mask, times the root of the mask, ``[B, S * S]``."""
    grey = images.mean(dim=1, keepdim=True)
    middle = (grey * masks).sum(dim=(2, 3), keepdim=True) / masks.sum(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    return ((grey - middle) * masks.sqrt()).flatten(1)
