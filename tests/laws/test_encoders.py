"""Laws of every encoder."""

import pytest
import torch
from parts import ENCODERS


@pytest.fixture(params=sorted(ENCODERS))
def encoder(request, float64):
    torch.manual_seed(0)
    return ENCODERS[request.param].build(input_size=5).eval()


def test_one_step_at_a_time_gives_what_reading_all_at_once_gives(encoder):
    x = torch.randn(3, 9, 5)
    whole, _ = encoder(x)
    state, steps = None, []
    for step in range(9):
        context, state = encoder(x[:, step : step + 1], state)
        steps.append(context)
    torch.testing.assert_close(torch.cat(steps, 1), whole, atol=1e-10, rtol=0)


def test_two_parts_give_what_reading_all_at_once_gives(encoder):
    x = torch.randn(3, 9, 5)
    whole, _ = encoder(x)
    first, state = encoder(x[:, :4])
    second, _ = encoder(x[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-10, rtol=0)


def test_a_context_vector_does_not_depend_on_later_inputs(encoder):
    x = torch.randn(2, 6, 5, requires_grad=True)
    context, _ = encoder(x)
    (gradient,) = torch.autograd.grad(context[:, 3].sum(), x)
    assert gradient[:, 4:].abs().max() == 0
    assert gradient[:, 3].abs().max() > 0
    assert gradient[:, 0].abs().max() > 0


def test_a_repeated_state_continues_every_path_of_its_own_window(encoder):
    x, later = torch.randn(2, 4, 5), torch.randn(6, 1, 5)
    _, state = encoder(x)
    fanned, _ = encoder(later, encoder.repeat(state, 3))
    for window in range(2):
        for path in range(3):
            row = 3 * window + path
            _, alone = encoder(x[window : window + 1])
            expected, _ = encoder(later[row : row + 1], alone)
            torch.testing.assert_close(fanned[row : row + 1], expected, atol=1e-10, rtol=0)


def test_every_parameter_gets_a_gradient(encoder):
    context, _ = encoder(torch.randn(2, 6, 5))
    context.square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
