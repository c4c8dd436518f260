"""What a decode keeps from step to step: memory and graphs, which are never stale."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import hemline.forecasting.networks.transforms.sampler as sampler_module
import pytest
import torch
from hemline.forecasting.networks.heads.flows import MAF
from hemline.forecasting.networks.transforms import Flow, FlowSampler, masked_autoregressive, real_nvp
from hemline.forecasting.networks.transforms.captured import CapturedInverse
from torch import Tensor

CONTEXT = 4
FLOWS: dict[str, Callable[..., Flow]] = {
    "real_nvp": lambda d: real_nvp(d, CONTEXT, hidden=12, batch_norm=True),
    "maf": lambda d: masked_autoregressive(d, CONTEXT, hidden=12),
    "maf with batch norm": lambda d: masked_autoregressive(d, CONTEXT, hidden=12, batch_norm=True),
    "maf of two levels": lambda d: masked_autoregressive(d, CONTEXT, hidden=12, levels=min(d, 2)),
}


@pytest.fixture(params=FLOWS.values(), ids=FLOWS.keys())
def make(request: pytest.FixtureRequest) -> Callable[..., Flow]:
    return request.param


def fitted(flow: Flow) -> Flow:
    """A flow in evaluation mode, away from its initial weights and statistics."""
    torch.manual_seed(0)
    flow = flow.double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        x = torch.randn(200, flow.features, dtype=torch.float64)
        flow.train()(context(200)).log_prob(x)
    return flow.eval()


def context(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(*shape, CONTEXT, generator=generator, dtype=torch.float64)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Put a recorder that needs no GPU in the place of CUDA graphs; counts what it has captured and replayed."""
    counts = [0, 0]

    def capture(function: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        counts[0] += 1
        result = function()

        def replay() -> None:
            counts[1] += 1
            result.copy_(function())

        return replay, result

    monkeypatch.setattr(sampler_module, "CapturedInverse", functools.partial(CapturedInverse, capture=capture))
    return counts


def sampler(flow: Flow, captures: bool = False) -> FlowSampler:
    """A sampler whose inverses are captured, by the recorder or on a GPU, where it is asked to."""
    made = FlowSampler(flow, torch.Generator(flow.conditioner.weight.device))
    made._captures = captures
    return made


def drawn(sample: FlowSampler, condition: Tensor) -> Tensor:
    assert sample.generator is not None
    sample.generator.manual_seed(9)
    return sample(condition)


def fresh(flow: Flow, condition: Tensor) -> Tensor:
    """What a flow with these weights and without any memory draws."""
    generator = torch.Generator(condition.device).manual_seed(9)
    return copy.deepcopy(flow)(condition).sample(generator=generator)


def test_a_flow_stays_as_it_is_while_it_is_drawn_from(recorded: list[int]):
    flow = fitted(masked_autoregressive(6, CONTEXT, hidden=8))
    before = {name: dict(vars(module)) for name, module in flow.named_modules()}
    drawn(sampler(flow), context(3))
    drawn(sampler(flow, captures=True), context(3))
    assert {name: dict(vars(module)) for name, module in flow.named_modules()} == before


CHANGES: dict[str, Callable[[Flow], object]] = {
    "a step of an optimiser": lambda flow: _step(flow),
    "writing to .data": lambda flow: [p.data.mul_(0.5) for p in flow.parameters()],
    "replacing .data": lambda flow: [setattr(p, "data", p.data * 0.5) for p in flow.parameters()],
    "loading a state": lambda flow: flow.load_state_dict(_halved(flow)),
    "assigning a loaded state": lambda flow: flow.load_state_dict(_halved(flow), assign=True),
    "training mode": lambda flow: flow.train(),
}


def _halved(flow: Flow) -> dict[str, Tensor]:
    state = flow.state_dict()
    return {name: value * 0.5 if value.is_floating_point() else value for name, value in state.items()}


def _step(flow: Flow) -> None:
    optimiser = torch.optim.Adam(flow.parameters(), lr=0.1)
    weight = flow.conditioner.weight
    flow(context(3).to(weight)).log_prob(torch.ones(3, flow.features).to(weight)).sum().backward()
    optimiser.step()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_nothing_kept_for_a_decode_is_ever_stale(make: Callable[..., Flow], change: Callable[[Flow], object]):
    flow = fitted(make(6))
    condition, sample = context(3), sampler(flow)
    before = drawn(sample, condition)
    assert torch.equal(drawn(sample, condition), before)
    change(flow)
    after = drawn(sample, condition)
    assert torch.equal(after, fresh(flow, condition))
    if not flow.training:
        assert not torch.equal(after, before)


def test_a_decode_may_change_type_rows_and_mode(make: Callable[..., Flow]):
    flow = fitted(make(6))
    sample = sampler(flow)
    drawn(sample, context(3))
    assert torch.equal(drawn(sample, context(5)), fresh(flow, context(5)))
    with torch.inference_mode():
        inside = drawn(sample, context(7))
    assert torch.equal(drawn(sample, context(7)), inside)
    flow.float()
    assert drawn(sample, context(3)).dtype == torch.float32
    assert torch.equal(drawn(sample, context(3)), fresh(flow, context(3)))


def test_samples_drawn_in_one_decode_do_not_share_memory(make: Callable[..., Flow]):
    sample = sampler(fitted(make(6)))
    first = sample(context(3))
    kept = first.clone()
    sample(context(3))
    assert torch.equal(first, kept)


def test_a_decode_keeps_its_memory_from_draw_to_draw():
    sample = sampler(masked_autoregressive(3, CONTEXT, hidden=4).double())
    for rows in (3, 3, 5):
        sample(context(rows))
    assert len(sample._workspace._buffers) == 4  # of two sizes, for maps in either order


def test_a_head_draws_the_same_within_a_decode():
    head = MAF(blocks=2, hidden=8).build(series=5, context_size=CONTEXT)
    condition, scale = torch.randn(3, CONTEXT), torch.ones(3, 5)
    sample, generator = head.sampler(torch.Generator().manual_seed(1)), torch.Generator().manual_seed(1)
    for _ in range(2):
        assert torch.equal(sample(condition, scale), head.sample(condition, scale, generator))


# --- the graph of a decode


def test_a_captured_decode_draws_what_a_plain_one_does(make: Callable[..., Flow], recorded: list[int]):
    flow = fitted(make(6))
    conditions, sample = context(8, 3), sampler(flow, captures=True)
    plain = [drawn(sampler(flow), condition) for condition in conditions]
    replayed = [drawn(sample, condition) for condition in conditions]
    assert recorded == [1, 8]
    assert torch.equal(drawn(sample, context(5)), fresh(flow, context(5)))
    assert recorded == [2, 9]
    assert all(torch.equal(a, b) for a, b in zip(plain, replayed, strict=True))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_captured_decode_is_never_stale(
    make: Callable[..., Flow], change: Callable[[Flow], object], recorded: list[int]
):
    flow = fitted(make(6))
    sample = sampler(flow, captures=True)
    drawn(sample, context(3))
    before = [parameter.data_ptr() for parameter in flow.parameters()]
    change(flow)
    moved = before != [parameter.data_ptr() for parameter in flow.parameters()]
    assert torch.equal(drawn(sample, context(3)), fresh(flow, context(3)))
    assert recorded == [1 + moved, 2]


def test_a_graph_without_a_gpu_is_refused(make: Callable[..., Flow]):
    with pytest.raises(ValueError, match="cuda_graph: expected a flow on a CUDA device, got one on cpu"):
        FlowSampler(make(2), cuda_graph=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_cuda_graph_draws_what_single_kernels_do(make: Callable[..., Flow], change: Callable[[Flow], object]):
    flow = fitted(make(9)).cuda()
    conditions, sample = context(8, 3).cuda(), sampler(flow, captures=True)
    plain = [drawn(sampler(flow), condition) for condition in conditions]
    replayed = [drawn(sample, condition) for condition in conditions]
    torch.testing.assert_close(replayed, plain, rtol=0, atol=1e-10)
    change(flow)
    torch.testing.assert_close(drawn(sample, conditions[0]), fresh(flow, conditions[0]), rtol=0, atol=1e-10)
