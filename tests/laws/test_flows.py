"""Laws of the conditional flows: they are densities, their samples follow them, and nothing is ever stale."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from hemline.forecasting.networks.transforms import (
    BatchNorm,
    Flow,
    GaussianBase,
    Permutation,
    StudentTBase,
    masked_autoregressive,
    real_nvp,
)
from safetensors.torch import load_file, save_file
from torch import Tensor

CONTEXT = 4
FLOWS: dict[str, Callable[..., Flow]] = {
    "real_nvp": lambda d, **options: real_nvp(d, CONTEXT, hidden=12, **options),
    "real_nvp with batch norm": lambda d, **options: real_nvp(d, CONTEXT, hidden=12, batch_norm=True, **options),
    "maf": lambda d, **options: masked_autoregressive(d, CONTEXT, hidden=12, **options),
    "maf with batch norm": lambda d, **options: masked_autoregressive(
        d, CONTEXT, hidden=12, batch_norm=True, **options
    ),
    "maf of two levels": lambda d, **options: masked_autoregressive(d, CONTEXT, hidden=12, levels=min(d, 2), **options),
}
BASES = ["gaussian", "student_t"]


def fitted(flow: Flow) -> Flow:
    """A flow in evaluation mode with weights and statistics as training might have left them."""
    generator = torch.Generator().manual_seed(0)
    flow = flow.double().eval()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        for module in flow.modules():
            if isinstance(module, BatchNorm):
                module.running_mean.uniform_(-0.5, 0.5, generator=generator)
                module.running_var.uniform_(0.5, 2.0, generator=generator)
    return flow


def context(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(*shape, CONTEXT, generator=generator, dtype=torch.float64)


@pytest.fixture(params=FLOWS.values(), ids=FLOWS.keys())
def make(request: pytest.FixtureRequest) -> Callable[..., Flow]:
    return request.param


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


# --- densities


@pytest.mark.parametrize("base", BASES)
def test_the_density_of_one_series_integrates_to_one(make: Callable[..., Flow], base: str):
    flow = fitted(make(1, base=base))
    distribution = flow(context())

    def density(x: float) -> float:
        return distribution.log_prob(torch.tensor([x], dtype=torch.float64)).exp().item()

    with torch.no_grad():
        mass = sum(
            scipy.integrate.quad(density, a, b, limit=500)[0]
            for a, b in [(-math.inf, -50), (-50, -5), (-5, 5), (5, 50), (50, math.inf)]
        )
    assert abs(mass - 1) < 1e-4


@pytest.mark.parametrize("base", BASES)
def test_the_density_of_two_series_integrates_to_one(make: Callable[..., Flow], base: str):
    flow = fitted(make(2, base=base))
    # With x = sinh(u) a grid even in u reaches far into the tails.
    edge, count = 9.0, 801
    u = torch.linspace(-edge, edge, count, dtype=torch.float64)
    x = torch.sinh(u)
    grid = torch.cartesian_prod(x, x)
    stretch = torch.cartesian_prod(torch.cosh(u), torch.cosh(u)).prod(-1)
    with torch.no_grad():
        mass = (flow(context()).log_prob(grid).exp() * stretch).sum() * (u[1] - u[0]) ** 2
    assert abs(mass.item() - 1) < 2e-3


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("features", [1, 2, 5])
def test_the_density_is_the_base_density_times_the_jacobian_of_autograd(
    make: Callable[..., Flow], features: int, base: str
):
    flow = fitted(make(features, base=base))
    distribution = flow(context(1))
    x = torch.randn(features, dtype=torch.float64)
    terms = distribution.terms
    z = flow.to_base(x[None], terms)[0]
    jacobian = torch.autograd.functional.jacobian(lambda v: flow.to_base(v[None], terms)[0][0], x)
    expected = flow.base.log_prob(z)[0] + torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(distribution.log_prob(x)[0], expected, rtol=0, atol=1e-10)


def test_samples_of_one_series_follow_the_density(make: Callable[..., Flow]):
    flow = fitted(make(1))
    distribution = flow(context())
    samples = distribution.sample((4000,))[:, 0]
    grid = torch.linspace(-60, 60, 60001, dtype=torch.float64)
    with torch.no_grad():
        density = distribution.log_prob(grid[:, None]).exp()
    cdf = torch.cumulative_trapezoid(density, grid)
    below = np.interp(samples.numpy(), grid[1:].numpy(), cdf.numpy())
    assert scipy.stats.kstest(below, "uniform").pvalue > 1e-3


def test_samples_of_two_series_follow_the_density(make: Callable[..., Flow]):
    distribution = fitted(make(2))(context())
    samples = distribution.sample((20000,))
    low, high = samples.quantile(torch.tensor([0.25, 0.75], dtype=torch.float64), dim=0)
    inside = ((samples > low) & (samples < high)).all(-1)
    with torch.no_grad():
        # E[1(x in A) / p(x)] is the area of A.
        weights = inside * (-distribution.log_prob(samples)).exp()
    area = (high - low).prod()
    error = weights.std() / math.sqrt(len(samples))
    assert error < 0.05 * area
    assert abs(weights.mean() - area) < 4 * error


def test_even_one_series_depends_on_the_context(make: Callable[..., Flow]):
    condition = context(6).requires_grad_()
    fitted(make(1))(condition).log_prob(torch.zeros(6, 1, dtype=torch.float64)).sum().backward()
    assert (condition.grad.abs().sum(-1) > 0).all()


@pytest.mark.parametrize("features", [2, 3, 6])
@pytest.mark.parametrize("stack", [real_nvp, masked_autoregressive])
def test_two_blocks_change_every_series_and_mix_all_of_them(stack: Callable[..., Flow], features: int):
    flow = stack(features, CONTEXT, hidden=24, blocks=2).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.fill_(0.1)  # no unit is idle, and no two paths cancel
    x, terms = torch.ones(features, dtype=torch.float64), flow(context(1).abs()).terms
    jacobian = torch.func.jacrev(lambda v: flow.to_base(v[None], terms)[0][0])(x)
    expected = torch.ones(features, features, dtype=torch.bool)
    if stack is real_nvp:
        # The first coupling transforms the odd series, which therefore do not see each other.
        expected[1::2, 1::2] = torch.eye(features // 2, dtype=torch.bool)
        jacobian = jacobian[flow.bijections[0].undo]
    assert (jacobian.diagonal() != 1).all()
    assert torch.equal(jacobian != 0, expected)


# --- gradients


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("features", [2, 7])
def test_every_parameter_gets_a_gradient_from_the_likelihood(make: Callable[..., Flow], features: int, base: str):
    flow = make(features, base=base).train()
    flow(torch.randn(64, 3, CONTEXT)).log_prob(torch.randn(64, 3, features)).mean().backward()
    for name, parameter in flow.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_differentiable_sample_equals_a_plain_one_and_reaches_the_parameters(make: Callable[..., Flow]):
    flow = fitted(make(5))
    distribution = flow(context(16))
    torch.manual_seed(1)
    plain = distribution.sample((3,))
    torch.manual_seed(1)
    differentiable = distribution.rsample((3,))
    assert not plain.requires_grad
    torch.testing.assert_close(plain, differentiable, rtol=0, atol=1e-10)
    differentiable.square().sum().backward()
    for name, parameter in flow.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_gradient_of_a_sample_is_the_finite_difference(make: Callable[..., Flow]):
    flow = fitted(make(4))

    def draw(condition: Tensor) -> Tensor:
        torch.manual_seed(5)
        return flow(condition).rsample()

    assert torch.autograd.gradcheck(draw, (context(2).requires_grad_(),), atol=1e-6)


# --- what a flow leaves alone


def test_neither_data_nor_context_nor_statistics_are_changed_by_evaluation(make: Callable[..., Flow]):
    flow = make(3).eval()
    x, condition = torch.randn(6, 3), torch.randn(6, CONTEXT)
    kept = (x.clone(), condition.clone(), copy.deepcopy(flow.state_dict()))
    distribution = flow(condition)
    first = distribution.log_prob(x)
    distribution.sample((2,))
    distribution.rsample()
    assert torch.equal(x, kept[0])
    assert torch.equal(condition, kept[1])
    assert all(torch.equal(kept[2][name], value) for name, value in flow.state_dict().items())
    assert torch.equal(distribution.log_prob(x), first)


def test_a_row_does_not_depend_on_its_batch(make: Callable[..., Flow]):
    flow = fitted(make(4))
    x, condition = torch.randn(5, 4, dtype=torch.float64), context(5)
    together = flow(condition).log_prob(x)
    alone = torch.stack([flow(condition[i]).log_prob(x[i]) for i in range(5)])
    torch.testing.assert_close(together, alone)


def test_a_missing_value_stays_in_its_row(make: Callable[..., Flow]):
    x = torch.randn(3, 4, dtype=torch.float64)
    x[1, 2] = math.nan
    log_prob = fitted(make(4))(context(3)).log_prob(x)
    assert log_prob.isnan().tolist() == [False, True, False]


def test_saving_and_loading_keeps_the_density(make: Callable[..., Flow], tmp_path: Path):
    flow = fitted(make(5, base="student_t"))
    save_file(flow.state_dict(), tmp_path / "flow.safetensors")
    other = make(5, base="student_t").double().eval()
    x, condition = torch.randn(9, 5, dtype=torch.float64), context(9)
    assert not torch.equal(other(condition).log_prob(x), flow(condition).log_prob(x))
    other.load_state_dict(load_file(tmp_path / "flow.safetensors"))
    assert torch.equal(other(condition).log_prob(x), flow(condition).log_prob(x))


def test_a_flow_can_be_copied_and_pickled(make: Callable[..., Flow]):
    flow = fitted(make(3))
    x, condition = torch.randn(2, 3, dtype=torch.float64), context(2)
    for other in (copy.deepcopy(flow), pickle.loads(pickle.dumps(flow))):
        assert torch.equal(other(condition).log_prob(x), flow(condition).log_prob(x))


def test_the_same_seed_draws_the_same_paths(make: Callable[..., Flow]):
    distribution = fitted(make(3, base="student_t"))(context(2))
    torch.manual_seed(7)
    first = distribution.sample((5,))
    torch.manual_seed(7)
    assert torch.equal(distribution.sample((5,)), first)
    assert not torch.equal(distribution.sample((5,)), first)


# --- shapes and types


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
@pytest.mark.parametrize("sample_shape", [(), (4,), (2, 2)])
def test_shapes_are_those_of_a_torch_distribution(
    make: Callable[..., Flow], batch: tuple[int, ...], sample_shape: tuple[int, ...]
):
    distribution = fitted(make(3))(context(*batch))
    assert distribution.batch_shape == torch.Size(batch)
    assert distribution.event_shape == torch.Size([3])
    x = distribution.sample(torch.Size(sample_shape))
    assert x.shape == (*sample_shape, *batch, 3)
    log_prob = distribution.log_prob(x)
    assert log_prob.shape == (*sample_shape, *batch)
    one = (0,) * len(sample_shape)
    torch.testing.assert_close(log_prob[one], distribution.log_prob(x[one]))


def test_an_expanded_distribution_is_the_same_density(make: Callable[..., Flow]):
    distribution = fitted(make(3))(context(5))
    x = distribution.sample((2,))
    expanded = distribution.expand((2, 5))
    assert expanded.batch_shape == (2, 5)
    torch.testing.assert_close(expanded.log_prob(x), distribution.log_prob(x))
    assert expanded.sample().shape == (2, 5, 3)


def test_autocast_does_not_change_a_density_or_a_sample(make: Callable[..., Flow]):
    flow = make(6).eval()
    x, condition = torch.randn(8, 6), torch.randn(8, CONTEXT)
    torch.manual_seed(2)
    plain = flow(condition).log_prob(x), flow(condition).sample()
    torch.manual_seed(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = flow(condition).log_prob(x), flow(condition).sample()
    assert all(torch.equal(a, b) for a, b in zip(plain, half, strict=True))


def test_the_density_compiles_without_a_graph_break(make: Callable[..., Flow]):
    flow = make(4).eval()
    x, condition = torch.randn(8, 4), torch.randn(8, CONTEXT)
    compiled = torch.compile(lambda c, v: flow(c).log_prob(v), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(condition, x), flow(condition).log_prob(x))


# --- bases


def test_the_gaussian_base_is_that_of_scipy():
    z = torch.randn(20, 3, dtype=torch.float64)
    expected = scipy.stats.norm.logpdf(z.numpy()).sum(-1)
    torch.testing.assert_close(GaussianBase(3).log_prob(z), torch.as_tensor(expected))


def test_the_student_base_is_that_of_scipy_and_has_its_tails():
    base = StudentTBase(3).double()
    with torch.no_grad():
        base.raw_degrees.copy_(torch.tensor([-2.0, 0.0, 5.0]))
        degrees = base.degrees_of_freedom
        z = 10 * torch.randn(20, 3, dtype=torch.float64)
        expected = scipy.stats.t.logpdf(z.numpy(), degrees.numpy()).sum(-1)
        torch.testing.assert_close(base.log_prob(z), torch.as_tensor(expected))
        drawn = base.rsample(50000, like=z)
    assert (degrees > 2).all()
    beyond = (drawn.abs() > 4).double().mean(0)
    expected = torch.as_tensor(2 * scipy.stats.t.sf(4, degrees.numpy()))
    assert ((beyond - expected).abs() < 5 * (expected / 50000).sqrt()).all()


# --- refusals


@pytest.mark.parametrize("stack", [real_nvp, masked_autoregressive])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 0}, "features: expected at least 1"),
        ({"context_features": 0}, "context_features: expected at least 1, got 0"),
        ({"blocks": 0}, "blocks: expected at least 1, got 0"),
        ({"hidden": 0}, "hidden"),
        ({"base": "cauchy"}, "base: expected one of gaussian, student_t, got 'cauchy'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(stack: Callable[..., Flow], options: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        stack(**{"features": 3, "context_features": 2, **options})


def test_a_context_of_another_width_is_refused(make: Callable[..., Flow]):
    with pytest.raises(ValueError, match=r"context: expected 4 features on its last axis, got shape \(2, 5\)"):
        make(3)(torch.zeros(2, 5))


def test_data_of_another_number_of_series_are_refused(make: Callable[..., Flow]):
    with pytest.raises(ValueError, match=r"value: expected 3 series on its last axis, got shape \(2, 1\)"):
        make(3)(torch.zeros(2, CONTEXT)).log_prob(torch.zeros(2, 1))


def test_parts_that_disagree_on_the_number_of_series_are_refused():
    with pytest.raises(ValueError, match=r"bijections\[1\]: expected 3 features as of the base, got 4"):
        Flow([Permutation(3), Permutation(4)], GaussianBase(3), context_features=2)
    with pytest.raises(ValueError, match="bijections: expected at least one, got none"):
        Flow([], GaussianBase(3), context_features=2)
