"""The likeliest sequences a step-by-step model can say; always ends."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def beam_search(
    step: Step,
    state: Tensor,
    *,
    begin: int,
    end: int,
    beams: int = 5,
    max_length: int = 24,
    length_power: float = 0.7,
    banned: tuple[int, ...] = (),
) -> tuple[Tensor, Tensor]:
    r"""Find likely sequences, several at a time for each row.

    A sequence of n tokens is judged by :math:`\log p / n^{\alpha}`. After `max_length` tokens every sequence
    ends, whether the model says so or not: the search takes at most `max_length` steps. With one beam it is
    greedy.

    Arguments:
        step: token int64 ``[N]`` and state ``[N, C]`` to the log-probabilities ``[N, V]`` of the next token
            and the next state ``[N, C]``.
        state: ``[B, C]``, the first state of each row.
        begin: the token before the first.
        end: the token after the last.
        beams: sequences kept a row.
        max_length: tokens of a sequence at most, the end among them.
        length_power: α; 0 favours short sequences.
        banned: tokens that are never said.

    Returns:
        int64 ``[B, max_length]``, the best sequence of each row, padded with `end`; and its judgement ``[B]``.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> table = torch.tensor([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]]).log()
        >>> said, _ = beam_search(lambda token, state: (table[token], state), torch.zeros(1, 1), begin=0, end=2)
        >>> said[0, :3].tolist()
        [1, 2, 2]
    """
    if beams < 1 or max_length < 1:
        raise ValueError(f"beams, max_length: expected at least 1, got {beams} and {max_length}")
    rows, device = len(state), state.device
    token = torch.full((rows * beams,), begin, dtype=torch.int64, device=device)
    state = state.repeat_interleave(beams, dim=0)
    said = torch.full((rows, beams, max_length), end, dtype=torch.int64, device=device)
    # All beams of a row begin equal: only the first may speak, or they would stay copies.
    total = torch.full((rows, beams), -torch.inf, device=device)
    total[:, 0] = 0.0
    ended = torch.zeros(rows, beams, dtype=torch.bool, device=device)
    length = torch.zeros(rows, beams, device=device)
    first = torch.arange(rows, device=device)[:, None] * beams
    for place in range(max_length):
        said_next, state = step(token, state)
        likely = said_next.reshape(rows, beams, -1).clone()
        likely[..., list(banned)] = -torch.inf
        # An ended sequence goes on as itself, at no cost.
        likely[ended] = -torch.inf
        likely[..., end] = torch.where(ended, 0.0, likely[..., end])
        grown = total[..., None] + likely
        longer = (length + (~ended)).clamp(min=1)
        judged = grown / longer[..., None] ** length_power
        vocabulary = judged.shape[-1]
        chosen = judged.reshape(rows, -1).topk(beams, dim=1).indices
        parent, spoken = chosen // vocabulary, chosen % vocabulary
        total = grown.reshape(rows, -1).gather(1, chosen)
        length = longer.gather(1, parent)
        said = said.gather(1, parent[..., None].expand(-1, -1, max_length))
        said[:, :, place] = spoken
        ended = ended.gather(1, parent) | (spoken == end)
        state = state[(first + parent).reshape(-1)]
        token = spoken.reshape(-1)
        if bool(ended.all()):
            break
    judged = total / length.clamp(min=1) ** length_power
    best = judged.argmax(dim=1)
    pick = torch.arange(rows, device=device)
    return said[pick, best], judged[pick, best]
