"""Laws that every bijection of the registry obeys, and the particular promises of each."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from hemline.forecasting.networks.transforms import (
    BIJECTIONS,
    MADE,
    AffineCoupling,
    BatchNorm,
    Bijection,
    MaskedAffine,
    Permutation,
)
from hemline.forecasting.networks.transforms.affine import LOG_SCALE_BOUND, affine_forward, log_scale
from torch import Tensor

VARIANTS: dict[str, tuple[str, Callable[[int], Bijection]]] = {
    "affine_coupling": ("affine_coupling", lambda d: AffineCoupling(d, hidden=6)),
    "affine_coupling of the first half": (
        "affine_coupling",
        lambda d: AffineCoupling(d, hidden=6, hidden_layers=3, transform_first=True),
    ),
    "batch_norm": ("batch_norm", BatchNorm),
    "masked_affine": ("masked_affine", lambda d: MaskedAffine(d, hidden=6)),
    "masked_affine in reversed order": (
        "masked_affine",
        lambda d: MaskedAffine(d, hidden=16, hidden_layers=3, reverse=True),
    ),
    "masked_affine of two levels": (
        "masked_affine",
        lambda d: MaskedAffine(d, hidden=16, hidden_layers=1, levels=min(d, 2)),
    ),
    "permutation": ("permutation", Permutation),
    "permutation by a given order": (
        "permutation",
        lambda d: Permutation(d, torch.randperm(d, generator=torch.Generator().manual_seed(1)).tolist()),
    ),
}
ROWS = 5


def away_from_identity(bijection: Bijection) -> Bijection:
    """Give every parameter and statistic a value that a forgotten term would show up at."""
    generator = torch.Generator().manual_seed(0)
    bijection = bijection.double().eval()
    with torch.no_grad():
        for parameter in bijection.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        if isinstance(bijection, BatchNorm):
            bijection.running_mean.uniform_(-2.0, 2.0, generator=generator)
            bijection.running_var.uniform_(0.1, 3.0, generator=generator)
    return bijection


def rows(bijection: Bijection, count: int = ROWS) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(count, bijection.features, generator=generator, dtype=torch.float64)
    width = bijection.conditioning_features
    return x, torch.randn(count, width, generator=generator, dtype=torch.float64)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=[1, 2, 3, 8], ids="D={}".format)
def features(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def bijection(request: pytest.FixtureRequest, features: int) -> Bijection:
    return away_from_identity(request.param[1](features))


def test_every_bijection_of_the_registry_is_under_the_laws():
    assert {name for name, _ in VARIANTS.values()} == set(BIJECTIONS)
    for name, make in VARIANTS.values():
        assert type(make(3)) is BIJECTIONS[name]


def test_the_inverse_undoes_the_map(bijection: Bijection):
    x, conditioning = rows(bijection)
    z, _ = bijection(x, conditioning)
    assert not torch.equal(z, x) or bijection.features == 1
    torch.testing.assert_close(bijection.inverse(z, conditioning), x, rtol=0, atol=1e-10)
    with torch.no_grad():
        torch.testing.assert_close(bijection.inverse(z, conditioning), x, rtol=0, atol=1e-10)


def test_the_map_undoes_the_inverse(bijection: Bijection):
    z, conditioning = rows(bijection)
    with torch.no_grad():
        x = bijection.inverse(z, conditioning)
        torch.testing.assert_close(bijection(x, conditioning)[0], z, rtol=0, atol=1e-10)


def test_the_log_determinant_is_that_of_autograd(bijection: Bijection):
    x, conditioning = rows(bijection)
    _, log_det = bijection(x, conditioning)
    assert log_det.shape == (ROWS,)
    for row in range(ROWS):
        term = conditioning[row : row + 1]
        jacobian = torch.autograd.functional.jacobian(lambda v, t=term: bijection(v[None], t)[0][0], x[row])
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(log_det[row], expected, rtol=0, atol=1e-10)


def test_rows_do_not_touch_each_other(bijection: Bijection):
    x, conditioning = rows(bijection)
    z, log_det = bijection(x, conditioning)
    alone, log_det_alone = bijection(x[1:2], conditioning[1:2])
    torch.testing.assert_close(alone[0], z[1])
    torch.testing.assert_close(log_det_alone[0], log_det[1])


def test_every_parameter_gets_a_gradient(bijection: Bijection):
    x, conditioning = rows(bijection, 64)
    z, log_det = bijection(x.requires_grad_(), conditioning)
    (z.square().sum() + log_det.sum()).backward()
    assert x.grad is not None
    for name, parameter in bijection.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.numel() == 0 or _is_dead(bijection, name) or parameter.grad.abs().sum() > 0, name


def test_the_conditioning_term_reaches_every_transformed_series(bijection: Bijection):
    if not bijection.conditioning_features:
        pytest.skip("takes no conditioning")
    with torch.no_grad():
        for parameter in bijection.parameters():
            parameter.abs_().add_(0.1)  # no unit is idle
    x, conditioning = rows(bijection, 1)
    jacobian = torch.func.jacrev(lambda term: bijection(x.abs(), term)[0][0])(conditioning.abs())[:, 0]
    reached = (jacobian != 0).any(-1).sum()
    passed_on = bijection.weights[0].shape[1] if isinstance(bijection, AffineCoupling) else 0
    assert reached == bijection.features - passed_on


def test_a_batch_of_no_rows_is_mapped_to_no_rows(bijection: Bijection):
    x, conditioning = rows(bijection, 0)
    assert bijection(x, conditioning)[0].shape == x.shape
    with torch.no_grad():
        assert bijection.inverse(x, conditioning).shape == x.shape


def _is_dead(bijection: Bijection, name: str) -> bool:
    # With one series there is no earlier one to weigh.
    return bijection.features == 1 and name.endswith("input_weight")


@pytest.mark.parametrize("make", BIJECTIONS.values(), ids=BIJECTIONS.keys())
def test_no_series_are_refused(make: Callable[[int], Bijection]):
    with pytest.raises(ValueError, match="features: expected at least 1"):
        make(0)


# --- affine maps far from the origin


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e2, 1e6, 1e30])
def test_affine_maps_and_their_gradients_are_finite_far_from_the_origin(dtype: torch.dtype, size: float):
    raw = torch.tensor([[-size, 0.0, size]], dtype=dtype, requires_grad=True)
    x = torch.tensor([[1e4, -1e4, 1e4]], dtype=dtype, requires_grad=True)
    shift = torch.zeros(1, 3, dtype=dtype, requires_grad=True)
    z, log_det = affine_forward(x, shift, raw)
    (z.sum() + log_det.sum()).backward()
    for values in (z, log_det, raw.grad, x.grad, shift.grad):
        assert torch.isfinite(values).all()
    assert log_scale(raw).abs().max() <= LOG_SCALE_BOUND
    assert x.grad.abs().min() >= 0.9 * torch.exp(torch.tensor(-LOG_SCALE_BOUND))


@pytest.mark.parametrize(
    "make", [lambda: AffineCoupling(4, hidden=8), lambda: MaskedAffine(4, hidden=8)], ids=["coupling", "masked"]
)
def test_a_path_that_has_run_away_keeps_a_finite_density_and_gradient(make: Callable[[], Bijection]):
    bijection = make()
    with torch.no_grad():
        for parameter in bijection.parameters():
            parameter.add_(torch.randn_like(parameter))
    x = torch.full((2, 4), 1e6, requires_grad=True)
    z, log_det = bijection(x, torch.zeros(2, bijection.conditioning_features))
    (log_det.sum() - torch.log1p(z.square()).sum()).backward()
    assert torch.isfinite(x.grad).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in bijection.parameters())


# --- the masks


def dependence(made: MADE) -> Tensor:
    """Whether series j can influence the description of series i, as ``[i, j]``."""
    sees = made.input_mask
    for _ in made.hidden_weights:
        sees = made.hidden_mask @ sees
    return made.output_mask @ sees > 0


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("features", "hidden"), [(1, 4), (2, 1), (5, 5), (8, 3), (40, 10), (10, 40)])
def test_no_series_sees_itself_or_a_later_one(features: int, hidden: int, reverse: bool):
    seen = dependence(MADE(features, hidden=hidden, reverse=reverse))
    allowed = torch.ones(features, features).tril(-1).bool()
    if reverse:
        allowed = allowed.flip(0, 1)
    assert not (seen & ~allowed).any()


@pytest.mark.parametrize(("features", "hidden"), [(2, 4), (5, 5), (8, 30)])
def test_with_enough_units_each_series_sees_all_earlier_ones(features: int, hidden: int):
    assert torch.equal(dependence(MADE(features, hidden=hidden)), torch.ones(features, features).tril(-1).bool())


@pytest.mark.parametrize("features", [137, 370, 963, 2000])
def test_a_narrow_network_lets_99_percent_of_the_pairs_condition_on_each_other(features: int):
    pairs = features * (features - 1) / 2
    assert dependence(MADE(features, hidden=100)).sum() >= 0.989 * pairs


@pytest.mark.parametrize(("levels", "share"), [(1, 0.0), (2, 0.5), (10, 0.9), (40, 1.0)])
def test_the_number_of_levels_sets_the_share_of_pairs_that_condition_on_each_other(levels: int, share: float):
    features = 40
    share_seen = dependence(MADE(features, hidden=64, levels=levels)).sum() / (features**2 / 2)
    assert abs(share_seen - share) <= 1 / features


def test_the_network_depends_on_what_its_masks_say():
    made = MADE(7, hidden=5, hidden_layers=3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(1.0)  # no unit is idle, and no two paths cancel
    x = torch.rand(1, 7, requires_grad=True)
    for outputs in made(x, torch.ones(1, 5)):
        jacobian = torch.cat([torch.autograd.grad(o, x, retain_graph=True)[0] for o in outputs[0]])
        assert torch.equal(jacobian > 0, dependence(made))


@pytest.mark.parametrize("levels", [0, 4, 9])
def test_more_levels_than_units_or_series_are_refused(levels: int):
    with pytest.raises(ValueError, match=f"levels: expected 1 to 3, .*, got {levels}"):
        MADE(8, hidden=3, levels=levels)


@pytest.mark.parametrize("name", ["hidden", "hidden_layers"])
@pytest.mark.parametrize("make", [MaskedAffine, AffineCoupling])
def test_an_empty_network_is_refused(make: Callable[..., Bijection], name: str):
    with pytest.raises(ValueError, match="expected at least 1"):
        make(4, **{name: 0})


# --- batch normalisation


def test_batch_norm_standardises_a_training_batch_and_says_so_in_its_log_determinant():
    norm = BatchNorm(3, epsilon=1e-12).double()
    x = torch.randn(200, 3, dtype=torch.float64) * torch.tensor([0.1, 1.0, 50.0]) + 7
    z, log_det = norm(x, x.new_empty(200, 0))
    torch.testing.assert_close(z.mean(0), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-9)
    torch.testing.assert_close(z.var(0, correction=0), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(log_det, -x.std(0, correction=0).log().sum().expand(200))


def test_batch_norm_moves_its_statistics_in_training_only():
    norm = BatchNorm(2)
    x = torch.randn(100, 2) * 3 + 1
    before = copy.deepcopy(norm.state_dict())
    norm.eval()
    norm(x, x.new_empty(100, 0))
    norm.inverse(x, x.new_empty(100, 0))
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())
    norm.train()
    norm.inverse(x, x.new_empty(100, 0))
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())
    norm(x, x.new_empty(100, 0))
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * x.var(0, correction=0))


def test_batch_norm_evaluates_with_running_statistics():
    norm = BatchNorm(2).eval()
    x = torch.randn(100, 2) * 3 + 1
    torch.testing.assert_close(norm(x, x.new_empty(100, 0))[0], x, rtol=1e-4, atol=1e-4)


def test_batch_norm_refuses_to_train_on_one_row():
    with pytest.raises(ValueError, match=r"x: expected at least 2 rows .* in training mode, got 1"):
        BatchNorm(2)(torch.zeros(1, 2), torch.empty(1, 0))


@pytest.mark.parametrize(("name", "value"), [("momentum", 0.0), ("momentum", 1.5), ("epsilon", 0.0)])
def test_batch_norm_refuses_settings_that_mean_nothing(name: str, value: float):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        BatchNorm(2, **{name: value})


# --- permutation


@pytest.mark.parametrize("order", [[0, 0, 1], [0, 1], [1, 2, 3]])
def test_an_order_that_is_no_permutation_is_refused(order: list[int]):
    with pytest.raises(ValueError, match="order: expected a permutation of 0 to 2"):
        Permutation(3, order)


def test_a_random_order_between_autoregressions_keeps_the_round_trip_exact():
    order = torch.randperm(9, generator=torch.Generator().manual_seed(4)).tolist()
    first, swap, last = (
        away_from_identity(part)
        for part in (MaskedAffine(9, hidden=7), Permutation(9, order), MaskedAffine(9, hidden=7))
    )
    x, conditioning = rows(first)
    nothing = x.new_empty(ROWS, 0)
    with torch.no_grad():
        z = last(swap(first(x, conditioning)[0], nothing)[0], conditioning)[0]
        back = first.inverse(swap.inverse(last.inverse(z, conditioning), nothing), conditioning)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-10)
