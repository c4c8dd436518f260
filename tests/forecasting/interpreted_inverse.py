"""The fused inverse in Triton's interpreter beside the loop over the levels: a line of JSON for each case.

A process of its own, because Triton decides on its interpreter when it is imported.
"""

from __future__ import annotations

import copy
import json
import sys
import warnings

import torch
from hemline.forecasting.networks.transforms.fused.launch import solve_on_chip
from hemline.forecasting.networks.transforms.fused.trial import TriedInverse
from hemline.forecasting.networks.transforms.level_solver import Workspace, solve_levels
from hemline.forecasting.networks.transforms.made import MADE
from torch import Tensor

CASES = {
    "one series": (dict(features=1, hidden=8), 5),
    "one series, one unit": (dict(features=1, hidden=1, hidden_layers=1), 2),
    "one row": (dict(features=8, hidden=20), 1),
    "fewer series than units": (dict(features=3, hidden=70, reverse=True), 3),
    "fewer units than series, three layers": (dict(features=23, hidden=5, hidden_layers=3), 5),
    "three layers in reversed order": (dict(features=9, hidden=33, hidden_layers=3, reverse=True), 4),
    "one layer, four levels": (dict(features=37, hidden=12, hidden_layers=1, levels=4, reverse=True), 7),
    "one level": (dict(features=6, hidden=9, levels=1), 3),
    "a wide layer, one row a warp": (dict(features=6, hidden=600), 3),
    "137 series": (dict(features=137, hidden=100), 3),
    "963 series in reversed order": (dict(features=963, hidden=100, reverse=True), 1),
}


def made_of(sizes: dict[str, int]) -> MADE:
    """A network away from its initial weights; what its masks hide is no number."""
    made = MADE(**sizes).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        made.input_weight[made.input_mask == 0] = torch.nan
        made.output_weight[:, made.output_mask == 0] = torch.nan
        for weight in made.hidden_weights:
            weight[made.hidden_mask == 0] = torch.nan
    return made.eval()


def noise(made: MADE, rows: int) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, made.features).double(), torch.randn(rows, made.hidden).double()


def told(name: str, **values: object) -> None:
    print(json.dumps({"name": name, **values}), flush=True)


def far(x: Tensor, exact: Tensor) -> float:
    return float((x.double() - exact).abs().max())


@torch.no_grad()
def main() -> None:
    for name, (sizes, rows) in CASES.items():
        torch.manual_seed(0)
        made = made_of(sizes)
        z, term = noise(made, rows)
        exact = solve_levels(made, z, term, Workspace())
        single = copy.deepcopy(made).float()
        told(
            name,
            size=float(exact.abs().max()),
            double=far(solve_on_chip(made, z, term), exact),
            single=far(solve_on_chip(single, z.float(), term.float()), exact),
        )
    torch.manual_seed(1)
    made = made_of(dict(features=7, hidden=12))
    z, term = noise(made, 4)
    # Laid out in another way than they are as a rule.
    turned, spread = z.t().contiguous().t(), torch.stack([term, term], dim=-1)[..., 0]
    told("strides", double=far(solve_on_chip(made, turned, spread), solve_levels(made, z, term, Workspace())))
    z[1, 2], z[2, 0] = torch.inf, torch.nan
    found, exact = solve_on_chip(made, z, term), solve_levels(made, z, term, Workspace())
    same = torch.allclose(found, exact, rtol=0, atol=1e-10, equal_nan=True)
    told("not finite", same=same, finite=exact.isfinite().sum(1).tolist())
    tried = TriedInverse(solve_on_chip)
    single = made_of(dict(features=40, hidden=16)).float()
    z, term = noise(single, 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        taken = tried(single, z.float(), term.float())
    told("trial", taken=taken is not None, warned=[str(each.message) for each in caught])


if __name__ == "__main__":
    sys.exit(main())
