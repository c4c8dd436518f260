"""What each part of the networks that swap articles and dress people costs: seconds and memory, forward and backward.

    python -m benchmarks.people_parts

Inputs are noise of the size of a step (64 pixels; eight photos of swaps, sixteen of outfits), one thread, float32. The
seconds are of the processor, median of five; the memory is that of all tensors made, at the peak. A step of a critic
sees three batches (two of outfits), which is why it is given that many photos here.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from hemline.vision.generate.outfit.network import SLOTS, OutfitForm
from hemline.vision.generate.swap.network import SwapForm
from torch import Tensor, nn

from .measuring import peak_of_tensors

Part = tuple[nn.Module, Callable[[], Tensor]]


def swap_parts(count: int) -> dict[str, Part]:
    """Generator and critic of swaps, each with a loss."""
    form = SwapForm()
    swapper, critic = form.build(), form.critic()
    images, worn, wanted = (torch.rand(count, 3, form.height, form.width) * 2 - 1 for _ in range(3))
    three, articles = torch.cat([images] * 3), torch.cat([worn, wanted, wanted])
    return {
        "swap: generator": (swapper, lambda: torch.cat(swapper(images, worn, wanted), dim=1).mean()),
        "swap: critic, three batches": (critic, lambda: critic(three, articles).mean()),
    }


def outfit_parts(count: int) -> dict[str, Part]:
    """Encoder of articles, generator and critic of outfits, each with a loss."""
    form = OutfitForm()
    dresser, critic = form.build(), form.critic()
    articles, worn = torch.rand(count, SLOTS, 3, 32, 32) * 2 - 1, torch.ones(count, SLOTS)
    latents, joints = torch.randn(count, form.latent), torch.rand(count, form.joints, 2)
    images = torch.rand(2 * count, 3, form.size, form.size) * 2 - 1
    twice = [torch.cat([part] * 2) for part in (articles, worn, joints)]
    encoder = dresser.outfit
    assert encoder is not None
    return {
        "outfit: encoder of six articles": (encoder, lambda: encoder(articles, worn).mean()),
        "outfit: generator with it": (dresser, lambda: dresser(latents, articles, worn, joints).mean()),
        "outfit: critic, two batches": (critic, lambda: critic(images, *twice)[0].mean()),
    }


def measured(name: str, network: nn.Module, loss: Callable[[], Tensor]) -> str:
    """A row of the table."""
    forward, backward = [], []
    for _ in range(5):
        started = time.process_time()
        with torch.no_grad():
            loss()
        between = time.process_time()
        loss().backward()
        forward.append(between - started)
        backward.append(time.process_time() - between)
    network.zero_grad()
    most = peak_of_tensors(lambda: loss().backward())
    count = sum(each.numel() for each in network.parameters())
    seconds = f"{statistics.median(forward):.3f} | {statistics.median(backward):.3f}"
    return f"| {name} | {count:,} | {seconds} | {most:.0f} |"


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| part | numbers | forward, s | forward and backward, s | MiB |\n|---|---|---|---|---|")
    for name, (network, loss) in (swap_parts(8) | outfit_parts(16)).items():
        print(measured(name, network, loss), flush=True)


if __name__ == "__main__":
    main()
