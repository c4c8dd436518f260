"""Grid partitioned attention against full attention, its choice of patches, its layer, its diagnostics."""

import itertools

import pytest
import torch
from hemline.vision.generate import attention as module
from hemline.vision.generate.attention import (
    GridPartitionedAttention,
    Partition,
    chosen_patches,
    grid_partitioned_attention,
)
from hemline.vision.generate.attention_views import attended, captured_mass
from torch.testing import assert_close

SCORES = ("euclid", "dot")
OWN, OTHER = (13, 18), (17, 11)
"""Sides of the queries and of the keys: another size and another shape, no multiples of a patch."""


def maps(dtype=torch.float64, own=OWN, other=OTHER, channels=5):
    torch.manual_seed(0)
    sides = ((channels, own), (channels, other), (4, other))
    return [torch.randn(2, 3, width, *size, dtype=torch.float64).to(dtype) for width, size in sides]


def scores_of(query, key, score):
    query, key = (each.flatten(3).transpose(2, 3) for each in (query, key))
    if score == "dot":
        return query @ key.transpose(2, 3) / query.shape[3] ** 0.5
    return -(query[:, :, :, None] - key[:, :, None]).square().sum(dim=4) / query.shape[3] ** 0.5


def full(query, key, value, score, seen=None):
    """Attention by its definition; ``seen`` says which keys a query sees."""
    scores = scores_of(query, key, score)
    if seen is not None:
        scores = scores.masked_fill(~seen, -torch.inf)
    found = scores.softmax(dim=3) @ value.flatten(3).transpose(2, 3)
    return found.transpose(2, 3).unflatten(3, query.shape[3:])


def seen_by_definition(query, key, partition):
    """Which keys a query sees, cell by cell and pixel by pixel."""
    side, own = partition.patch(*key.shape[3:]), partition.patch(*query.shape[3:])

    def small(maps, side):
        rows, columns = (-(-size // side) for size in maps.shape[3:])
        means = torch.empty(*maps.shape[:3], rows, columns, dtype=maps.dtype)
        for row, column in itertools.product(range(rows), range(columns)):
            block = maps[..., row * side : (row + 1) * side, column * side : (column + 1) * side]
            means[..., row, column] = block.mean(dim=(3, 4))
        return means

    small_query, small_key = small(query, own), small(key, side)
    shares = scores_of(small_query, small_key, partition.score).softmax(dim=3).unflatten(2, small_query.shape[3:])
    cell = partition.cell(*query.shape[3:]) // own
    seen = torch.zeros(*query.shape[:2], *query.shape[3:], *key.shape[3:], dtype=torch.bool)
    for row, column in itertools.product(*(range(0, size, cell) for size in small_query.shape[3:])):
        mean = shares[:, :, row : row + cell, column : column + cell].sum(dim=(2, 3))
        most = mean.argsort(dim=2, descending=True)[..., : partition.patches]
        for image, head in itertools.product(range(len(query)), range(query.shape[1])):
            for patch in most[image, head].tolist():
                down, right = divmod(patch, small_key.shape[4])
                seen[
                    image,
                    head,
                    row * own : (row + cell) * own,
                    column * own : (column + cell) * own,
                    down * side : (down + 1) * side,
                    right * side : (right + 1) * side,
                ] = True
    return seen.flatten(4).flatten(2, 3)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("base", [4, 64])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-12), (torch.float32, 2e-6), (torch.bfloat16, 2e-2)])
def test_with_all_patches_it_is_full_attention(score, base, dtype, error):
    given = maps(dtype)
    found = grid_partitioned_attention(*given, Partition(patches=99, base=base, cells=2, score=score))
    assert found.dtype == dtype
    assert_close(found.double(), full(*(each.double() for each in given), score), atol=error, rtol=0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("patches", "cells"), [(1, 2), (3, 2), (2, 1), (4, 9)])
def test_with_some_patches_it_is_attention_to_those_of_the_definition(score, patches, cells):
    given, partition = maps(), Partition(patches=patches, base=4, cells=cells, score=score)
    expected = full(*given, score, seen_by_definition(*given[:2], partition))
    assert_close(grid_partitioned_attention(*given, partition), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("score", SCORES)
def test_what_lies_beyond_the_border_of_the_queries_has_no_say(score):
    partition = Partition(patches=1, base=4, cells=1, score=score)
    for seed in range(8):
        torch.manual_seed(seed)
        query, key = (
            2 * torch.randn(1, 1, 3, *OWN, dtype=torch.float64),
            torch.randn(1, 1, 3, *OTHER, dtype=torch.float64),
        )
        value = torch.randn(1, 1, 2, *OTHER, dtype=torch.float64)
        expected = full(query, key, value, score, seen_by_definition(query, key, partition))
        assert_close(grid_partitioned_attention(query, key, value, partition), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("score", SCORES)
def test_groups_of_cells_change_nothing(score, monkeypatch):
    given, partition = maps(), Partition(patches=2, base=4, cells=4, score=score)
    at_once = grid_partitioned_attention(*given, partition)
    monkeypatch.setattr(module, "_AT_A_TIME", 1)
    assert_close(grid_partitioned_attention(*given, partition), at_once, atol=1e-12, rtol=0)


@pytest.mark.parametrize("score", SCORES)
def test_gradients(score):
    torch.manual_seed(1)
    sides = ((2, 5, 6), (2, 7, 5), (3, 7, 5))
    given = [torch.randn(1, 2, *side, dtype=torch.float64, requires_grad=True) for side in sides]
    partition = Partition(patches=2, base=3, cells=2, score=score)
    assert torch.autograd.gradcheck(lambda *all_maps: grid_partitioned_attention(*all_maps, partition), given)


def test_distances_are_exact_far_from_0():
    query, key, value = maps(torch.float32)
    partition = Partition(patches=99, base=4)  # a choice between patches that are alike may turn on the last digit
    moved = grid_partitioned_attention(query + 1000, key + 1000, value, partition)
    assert_close(moved, grid_partitioned_attention(query, key, value, partition), atol=2e-3, rtol=0)


def peaked(sharpness, size=32):
    """Queries each of which looks for one place of the keys, with its neighbours close to it."""
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, size, dtype=torch.float64) for _ in range(2)), indexing="ij")
    place = torch.stack([rows, columns])[None, None] * sharpness
    return place.flip(-1), place


def test_more_patches_hold_more_and_all_hold_all():
    query, key = peaked(6.0)
    held = [captured_mass(query, key, Partition(patches=k, base=8)).item() for k in (1, 2, 4, 16, 64)]
    assert held == sorted(held)
    assert held[-1] == pytest.approx(1, abs=1e-12)
    assert held[2] > 0.5 > 0.2 > captured_mass(query, key * 0, Partition(patches=4, base=8)).item()


@pytest.mark.parametrize("score", SCORES)
def test_mass_and_weights_of_a_place_are_those_of_full_attention(score):
    query, key, value = maps()
    partition = Partition(patches=2, base=4, cells=2, score=score)
    seen = seen_by_definition(query, key, partition)
    shares = scores_of(query, key, score).softmax(dim=3)
    assert_close(captured_mass(query, key, partition, queries=10**4), (shares * seen).sum(3).mean(2))
    weights = attended(query, key, partition, 12, 17)
    assert_close(weights.flatten(2).sum(dim=2), torch.ones(2, 3, dtype=torch.float64))
    found = (weights[:, :, None] * value).sum(dim=(3, 4))
    assert_close(found, grid_partitioned_attention(query, key, value, partition)[..., 12, 17])


@pytest.mark.parametrize("output", ["join", "add", "plain"])
def test_the_layer_asks_other_maps_than_its_own(output):
    torch.manual_seed(2)
    layer = GridPartitionedAttention(8, 6, 5, heads=2, partition=Partition(base=4), output=output)
    own, source, values = torch.randn(2, 8, 9, 10), torch.randn(2, 6, 12, 7), torch.randn(2, 5, 12, 7)
    found = layer(own, source, values)
    assert found.shape == own.shape
    query, key = layer.queries_and_keys(own, source)
    alone = full(
        query, key, layer.value(values).unflatten(1, (2, -1)), "euclid", seen_by_definition(query, key, layer.partition)
    )
    alone = alone.flatten(1, 2)
    expected = {
        "join": lambda: own + layer.join(torch.cat([own, alone], dim=1)),
        "add": lambda: own + 0.1 * alone,
        "plain": lambda: alone,
    }[output]()
    assert_close(found, expected, atol=1e-5, rtol=1e-4)
    found.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in layer.parameters())


def test_every_head_has_patches_of_its_own():
    query, key, _ = maps()
    partition = Partition(patches=2, base=4, cells=2)
    together = chosen_patches(query, key, partition)
    for head in range(3):
        alone = chosen_patches(query[:, head, None], key[:, head, None], partition)
        assert_close(together[:, head, None], alone)
    assert (together[:, 0] != together[:, 1]).any()


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_the_layer_compiles_as_one_graph(backend):
    torch.manual_seed(3)
    layer = GridPartitionedAttention(8, partition=Partition(base=4))
    given = torch.randn(1, 8, 10, 9)
    compiled = torch.compile(layer, backend=backend, fullgraph=True)
    assert_close(compiled(given), layer(given), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {0: torch.zeros(2, 3, 5, 4)},
            r"query: expected maps \[B, heads, channels, height, width\], got \[2, 3, 5, 4\]",
        ),
        ({1: torch.zeros(2, 3, 4, 8, 8)}, r"key: .* \[2, 3, 5\], as the queries have, got \[2, 3, 4\]"),
        ({2: torch.zeros(2, 3, 4, 8, 8)}, "value: expected the batch, heads and sides of the keys"),
        ({1: torch.zeros(2, 3, 5, 0, 8)}, "key: expected maps"),
    ],
)
def test_maps_that_do_not_belong_together(changed, said):
    given = dict(enumerate(maps())) | changed
    with pytest.raises(ValueError, match=said):
        grid_partitioned_attention(*given.values())


def test_settings_that_are_none():
    with pytest.raises(ValueError, match="patches: expected a whole number from 1"):
        Partition(patches=0)
    with pytest.raises(ValueError, match="score: expected"):
        Partition(score="cosine")
    with pytest.raises(ValueError, match="heads: expected a divisor of 8 channels, got 3"):
        GridPartitionedAttention(8, heads=3)
    query, key, _ = maps()
    with pytest.raises(ValueError, match="row: expected a place from 0 to 12, got 13"):
        attended(query, key, Partition(), 13, 0)
