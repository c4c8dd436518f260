"""Layers of StyleGAN2 against the equations that they stand for."""

from __future__ import annotations

import pytest
import torch
from hemline.vision.generate.networks.style_layers import ModulatedConv, Smooth
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d


def weights_by_image(layer: ModulatedConv, styles: Tensor) -> Tensor:
    """``w · s / ‖w · s‖``, a weight ``[B, after, before, side, side]`` for each image (equations 1 and 3)."""
    weights = layer.convolution.weight * layer.convolution.scale * layer.style(styles)[:, None, :, None, None]
    if not layer.demodulate:
        return weights
    return weights / (weights.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).sqrt()


def convolved(layer: ModulatedConv, maps: Tensor, styles: Tensor) -> Tensor:
    """Each image convolved with the weight of its own."""
    found = []
    for image, weight in zip(maps, weights_by_image(layer, styles), strict=True):
        if layer.convolution.stretch == "up":
            wide = conv_transpose2d(image[None], weight.transpose(0, 1), stride=2)
            found.append(Smooth().double()(wide, gain=4.0))
        else:
            found.append(conv2d(image[None], weight, padding=weight.shape[-1] // 2))
    return torch.cat(found)


@pytest.mark.parametrize(
    ("side", "stretch", "demodulate"), [(3, "", True), (3, "up", True), (1, "", False), (3, "", False)]
)
def test_scaling_maps_before_and_behind_equals_a_weight_for_each_image(side, stretch, demodulate):
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, side, 4, stretch, demodulate).double()
    maps, styles = torch.randn(6, 5, 8, 8, dtype=torch.float64), torch.randn(6, 4, dtype=torch.float64)
    given = maps.requires_grad_(), styles.requires_grad_()
    parts = *given, layer.convolution.weight, layer.style.weight
    mine, theirs = layer(*given), convolved(layer, *given)
    torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=1e-10)
    into = torch.randn_like(mine)
    for one, other in zip(
        torch.autograd.grad((mine * into).sum(), parts), torch.autograd.grad((theirs * into).sum(), parts), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-9)


def test_what_is_demodulated_has_the_variance_of_what_comes_in():
    torch.manual_seed(0)
    layer = ModulatedConv(64, 32, 3, 8).double()
    maps = torch.randn(4, 64, 16, 16, dtype=torch.float64)
    for strength in (1.0, 30.0):
        styles = strength * torch.randn(4, 8, dtype=torch.float64)
        inside = layer(maps, styles)[:, :, 1:-1, 1:-1].detach()
        assert float(inside.var()) == pytest.approx(1, abs=0.1)
