"""Recipes of generated photos at 32 pixels: steps a second, 10,000 images and memory; and modulated convolutions.

Batches are noise in ten classes, in the recipe's own size and precision: cost depends on the shape alone. A step is one
of the generator with the steps of the critic that belong to it; lazy penalties have their share of those measured.
Beside seconds of the clock stand those of the processor, which other processes do not change much. The last case
compares a modulated convolution with a plain one, and with one that has a weight for each image, forward and backward.

Run: python -m benchmarks.generation [--cases small,stylegan2,modulated]
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from hemline.runtime.training.checkpoints import Checkpoints
from hemline.runtime.training.run import run_training
from hemline.vision.generate.adversarial.precision import precision_here
from hemline.vision.generate.adversarial.training import AdversarialTraining, Batch
from hemline.vision.generate.networks.network import ImageSpec
from hemline.vision.generate.networks.style_layers import ModulatedConv
from hemline.vision.generate.recipes import RECIPES, Recipe
from hemline.vision.generate.trained import TrainedGenerator
from torch import Tensor
from torch.nn.functional import conv2d

from .measuring import arguments, in_own_process, peak_gib, write

SPEC = ImageSpec(32, 3, tuple("abcdefghij"))
BEFORE, IMAGES = 2, 10_000
SHAPES = ((16, 64, 16), (16, 128, 8), (32, 32, 32), (16, 64, 32))
"""Images, channels in and out, and side of the maps."""


class Timed(AdversarialTraining):
    """Notes when each step begins and ends, on the clock and on the processor."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.times: list[tuple[float, float]] = []

    def training_step(self, batch: Batch, index: int) -> None:
        """One step, between two looks at the clocks."""
        self.times = self.times or [(time.perf_counter(), time.process_time())]
        super().training_step(batch, index)
        self.times.append((time.perf_counter(), time.process_time()))


def timed(recipe: Recipe, spec: ImageSpec, device: str) -> tuple[Timed, float, float]:
    """A recipe trained for some steps on noise in ten classes, and its seconds of clock and processor a step.

    Arguments:
        recipe: the recipe.
        spec: of its images.
        device: ``"cpu"`` or ``"cuda"``.
    """
    # As many as there are from one lazy penalty to the next, and four where every step is like the others.
    measured = max(4, recipe.training.every)
    steps = BEFORE + measured
    config = replace(recipe.training, steps=steps, log_steps=steps, device="cpu" if device == "cpu" else "gpu")
    torch.manual_seed(0)
    generator, critic = recipe.generator.build(spec), recipe.critic.build(spec)
    images = torch.randint(0, 256, (2000, spec.channels, spec.size, spec.size), dtype=torch.uint8)
    module = Timed(generator, critic, config, images, torch.randint(0, 10, (2000,)))
    precision = precision_here(config.precision, config.device)
    run_training(
        module,
        Checkpoints(None),
        options={"accelerator": config.device, "precision": precision, "logger": False},
    )
    clock, processor = ((module.times[-1][kind] - module.times[BEFORE][kind]) / measured for kind in (0, 1))
    return module, clock, processor


def measure(name: str, device: str) -> dict[str, Any]:
    """One recipe: its training and its images."""
    recipe = RECIPES[name]
    idle = peak_gib(device)
    module, clock, processor = timed(recipe, SPEC, device)
    trained = TrainedGenerator(module.average, recipe, "kind", (0.1,) * 10)
    began = time.perf_counter(), time.process_time()
    trained.sample(IMAGES, device=device)
    return {
        "case": name,
        "parameters": sum(each.numel() for part in (module.generator, module.critic) for each in part.parameters()),
        "precision": precision_here(module.config.precision, module.config.device),
        "steps a second": 1 / clock,
        "processor s a step": processor,
        "10,000 images s": time.perf_counter() - began[0],
        "processor s": time.process_time() - began[1],
        "idle GiB": idle,
        "peak GiB": peak_gib(device),
    }


def modulated(repeats: int) -> list[dict[str, Any]]:
    """Modulated convolutions beside plain ones: the least processor time of so many, forward and backward."""
    rows = []
    for count, channels, side in SHAPES:
        torch.manual_seed(0)
        layer = ModulatedConv(channels, channels, 3, 128)
        maps = torch.randn(count, channels, side, side, requires_grad=True)
        styles = torch.randn(count, 128, requires_grad=True)
        ways = {"plain": _plain(layer, maps), "modulated": _whole(layer, maps, styles)}
        ways["weights by image"] = _by_image(layer, maps, styles)
        least = dict.fromkeys(ways, float("inf"))
        for turn in range(2 * repeats + 1):
            for name, work in ways.items():
                began = time.process_time()
                work().sum().backward()
                if turn:
                    least[name] = min(least[name], time.process_time() - began)
        shares = {f"{name} / plain": least[name] / least["plain"] for name in ways if name != "plain"}
        rows.append({"images": count, "channels": channels, "side": side, "plain ms": 1e3 * least["plain"], **shares})
    return rows


def _plain(layer: ModulatedConv, maps: Tensor) -> Callable[[], Tensor]:
    return lambda: conv2d(maps, layer.convolution.weight * layer.convolution.scale, padding=1)


def _whole(layer: ModulatedConv, maps: Tensor, styles: Tensor) -> Callable[[], Tensor]:
    return lambda: layer(maps, styles)


def _by_image(layer: ModulatedConv, maps: Tensor, styles: Tensor) -> Callable[[], Tensor]:
    def work() -> Tensor:
        weights = layer.convolution.weight * layer.convolution.scale * layer.style(styles)[:, None, :, None, None]
        weights = weights * (weights.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        return conv2d(maps.flatten(0, 1)[None], weights.flatten(0, 1), padding=1, groups=len(maps))[0]

    return work


def main() -> None:
    """Measure each recipe in a process of its own."""
    options = arguments(f"Generated photos of {SPEC.size} pixels.", [*RECIPES, "modulated"])
    if options.case:
        torch.set_num_threads(options.threads)
        print(json.dumps(measure(options.case, options.device)))
        return
    cases = options.cases.split(",")
    recipes = [case for case in cases if case != "modulated"]
    if recipes:
        rows = [in_own_process("benchmarks.generation", case, options) for case in recipes]
        write("generation", rows, options)
    if "modulated" in cases:
        torch.set_num_threads(options.threads)
        write("modulated", modulated(options.repeats), options)


if __name__ == "__main__":
    main()
