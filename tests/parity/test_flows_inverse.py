"""The fast inverse of a masked affine map against one full pass per series, written here plainly."""

from __future__ import annotations

import pytest
import torch
from hemline.forecasting.networks.transforms import MADE, MaskedAffine, masked_autoregressive
from hemline.forecasting.networks.transforms.affine import log_scale
from torch import Tensor

ROWS = 4
SIZES = [(d, h) for d in (1, 2, 8, 137, 963) for h in (5, 100)] + [(8, 1024), (137, 256)]


def masked_map(features: int, hidden: int, dtype: torch.dtype, **options: object) -> MaskedAffine:
    generator = torch.Generator().manual_seed(features + hidden)
    bijection = MaskedAffine(features, hidden=hidden, **options).to(dtype)
    with torch.no_grad():
        for parameter in bijection.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=dtype)
            parameter.add_(noise * 0.2 * max(parameter.shape[-1], 25) ** -0.5)
    return bijection


def noise(bijection: MaskedAffine, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(ROWS, bijection.features, generator=generator, dtype=dtype)
    return z, torch.randn(ROWS, bijection.conditioning_features, generator=generator, dtype=dtype)


@torch.no_grad()
def inverse_by_one_pass_per_series(made: MADE, z: Tensor, conditioning: Tensor) -> Tensor:
    first = made.input_weight * made.input_mask
    middle = [weight * made.hidden_mask for weight in made.hidden_weights]
    last = made.output_weight * made.output_mask
    x = torch.zeros_like(z)
    order = range(made.features)
    for series in reversed(order) if made.reverse else order:
        units = torch.relu(conditioning + x @ first.t())
        for weight, bias in zip(middle, made.hidden_biases, strict=True):
            units = torch.relu(bias + units @ weight.t())
        shift = made.output_bias[0] + units @ last[0].t()
        raw = made.output_bias[1] + units @ last[1].t()
        x[:, series] = z[:, series] * torch.exp(log_scale(raw[:, series])) + shift[:, series]
    return x


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)], ids=str)
@pytest.mark.parametrize(("features", "hidden"), [*SIZES, (963, 1024)])
def test_the_fast_inverse_equals_one_full_pass_per_series(
    features: int, hidden: int, dtype: torch.dtype, tolerance: float, reverse: bool
):
    bijection = masked_map(features, hidden, dtype, reverse=reverse)
    z, conditioning = noise(bijection, dtype)
    expected = inverse_by_one_pass_per_series(bijection.made, z, conditioning)
    with torch.no_grad():
        got = bijection.inverse(z, conditioning)
    assert (got - expected).abs().max() <= tolerance * expected.abs().max().clamp(min=1)
    assert not torch.allclose(got, z, atol=1e-2)


@pytest.mark.parametrize("hidden_layers", [1, 2, 4])
@pytest.mark.parametrize("levels", [1, 2, 7, 30])
def test_the_fast_inverse_is_exact_for_any_depth_and_number_of_levels(hidden_layers: int, levels: int):
    bijection = masked_map(40, 30, torch.float64, hidden_layers=hidden_layers, levels=levels)
    z, conditioning = noise(bijection, torch.float64)
    expected = inverse_by_one_pass_per_series(bijection.made, z, conditioning)
    with torch.no_grad():
        torch.testing.assert_close(bijection.inverse(z, conditioning), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(bijection.inverse(z, conditioning), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize(("features", "hidden"), SIZES)
def test_the_jacobian_is_triangular_and_its_determinant_that_of_autograd(features: int, hidden: int, reverse: bool):
    bijection = masked_map(features, hidden, torch.float64, reverse=reverse)
    x, conditioning = noise(bijection, torch.float64)
    row, term = x[:1], conditioning[:1]
    jacobian = torch.func.jacrev(lambda v: bijection(v, term)[0])(row).reshape(features, features)
    later = jacobian.tril(-1) if reverse else jacobian.triu(1)
    assert not later.any()
    expected = torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(bijection(row, term)[1][0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("features", [1, 8, 137])
def test_the_density_is_the_product_of_its_normal_conditionals(features: int):
    bijection = masked_map(features, 20, torch.float64)
    x, conditioning = noise(bijection, torch.float64)
    shift, raw = bijection.made(x, conditioning)
    expected = torch.distributions.Normal(shift, torch.exp(log_scale(raw))).log_prob(x).sum(-1)
    z, log_det = bijection(x, conditioning)
    base = torch.distributions.Normal(torch.zeros(()).double(), 1.0).log_prob(z).sum(-1)
    torch.testing.assert_close(base + log_det, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(("features", "hidden"), [(1, 16), (8, 5), (137, 100)])
def test_a_whole_stack_maps_its_samples_back_to_the_noise_they_came_from(features: int, hidden: int, batch_norm: bool):
    flow = masked_autoregressive(features, 3, blocks=4, hidden=hidden, batch_norm=batch_norm).double()
    flow.train()(torch.randn(50, 3).double()).log_prob(torch.randn(50, features).double())
    distribution = flow.eval()(torch.randn(ROWS, 3).double())
    torch.manual_seed(0)
    x = distribution.sample()
    torch.manual_seed(0)
    z = flow.base.rsample(ROWS, like=x)
    with torch.no_grad():
        torch.testing.assert_close(flow.to_base(x, distribution.terms)[0], z, rtol=0, atol=1e-10)
