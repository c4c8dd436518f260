"""Laws over the recipes of generators: shapes, gradients, classes that matter, images on their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hemline.runtime.plain import to_plain
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.networks.network import ImageSpec, truncated_normal
from hemline.vision.generate.networks.plain import DenseGeneratorForm
from hemline.vision.generate.recipes import RECIPES, Recipe, widened
from hemline.vision.generate.trained import TrainedGenerator, stored_recipe

SPECS = {
    "grey 28, three classes": ImageSpec(28, 1, ("a", "b", "c")),
    "colour 32, no classes": ImageSpec(32, 3),
    "colour 24, two classes": ImageSpec(24, 3, ("a", "b")),
}

everywhere = [pytest.mark.parametrize("name", RECIPES), pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)]


def over_recipes(test):
    for mark in everywhere:
        test = mark(test)
    return test


def small(name: str) -> Recipe:
    recipe = RECIPES[name]
    if isinstance(recipe.generator, DenseGeneratorForm):
        return replace(recipe, generator=replace(recipe.generator, width=16))
    return widened(recipe, 4)


def built(name: str, spec: ImageSpec):
    torch.manual_seed(0)
    recipe = small(name)
    generator, critic = recipe.generator.build(spec), recipe.critic.build(spec)
    latents = torch.randn(6, generator.latent)
    labels = torch.arange(6) % len(spec.classes) if spec.classes else None
    return generator, critic, latents, labels


def begun(network: torch.nn.Module) -> None:
    """Shares of attention and strengths of noise begin at 0, and what is behind them tells nothing before they move."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.numel() and not parameter.any():
                parameter.add_(0.1)


@over_recipes
def test_shapes_bounds_and_a_gradient_for_every_parameter(name, spec):
    generator, critic, latents, labels = built(name, spec)
    images = generator(latents, labels)
    assert images.shape == (6, spec.channels, spec.size, spec.size)
    assert images.abs().max() <= 1
    logits = critic(images, labels)
    assert logits.shape == (6,)
    begun(generator)
    begun(critic)
    (critic(generator(latents, labels), labels) ** 2).sum().backward()
    for part in (generator, critic):
        for parameter_name, parameter in part.named_parameters():
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name
            assert parameter.grad.any(), parameter_name


@over_recipes
def test_in_evaluation_an_image_depends_on_its_latents_and_class_alone(name, spec):
    # In float64: the statistics of single maps amplify the last digits, which differ with the size of a batch.
    generator, _, latents, labels = built(name, spec)
    generator, latents = generator.double().train(), latents.double()
    begun(generator)
    for _ in range(3):
        generator(latents, labels)
    generator.eval()
    with torch.no_grad():
        together = generator(latents, labels)
        alone = torch.cat(
            [generator(latents[i : i + 1], None if labels is None else labels[i : i + 1]) for i in range(6)]
        )
        assert torch.allclose(together, alone, atol=1e-9)
        assert torch.equal(together, generator(latents, labels))
        other = generator(latents.flip(0), labels)
        assert (other - together).abs().max() > 1e-3
        if labels is not None:
            assert (generator(latents, (labels + 1) % len(spec.classes)) - together).abs().max() > 1e-4


@over_recipes
def test_the_class_matters_to_the_critic_and_is_asked_for(name, spec):
    generator, critic, latents, labels = built(name, spec)
    images = generator(latents, labels).detach()
    critic.eval()
    if labels is None:
        with pytest.raises(ValueError, match="labels: expected none"):
            critic(images, torch.zeros(6, dtype=torch.long))
        with pytest.raises(ValueError, match="labels: expected none"):
            generator(latents, torch.zeros(6, dtype=torch.long))
        return
    assert (critic(images, labels) - critic(images, (labels + 1) % len(spec.classes))).abs().max() > 1e-5
    with pytest.raises(ValueError, match=f"labels: expected a label of {len(spec.classes)} classes"):
        critic(images)
    with pytest.raises(ValueError, match=f"labels: expected a label of {len(spec.classes)} classes"):
        generator(latents)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_plain_data_and_comes_back(name):
    assert stored_recipe(to_plain(RECIPES[name])) == RECIPES[name]


@pytest.mark.parametrize("name", RECIPES)
def test_a_generator_is_read_as_it_was_written(name):
    spec = SPECS["grey 28, three classes"]
    generator, _, latents, labels = built(name, spec)
    folder = RunFolder(f"memory://generator-{name}")
    TrainedGenerator(generator.eval(), small(name), "class", (0.5, 0.25, 0.25)).save(folder)
    read = TrainedGenerator.load(folder)
    with torch.no_grad():
        assert torch.equal(read.network(latents, labels), generator(latents, labels))
    assert (read.recipe, read.task, read.shares) == (small(name), "class", (0.5, 0.25, 0.25))


@pytest.mark.parametrize("name", RECIPES)
def test_truncated_images_differ_less(name):
    spec = SPECS["grey 28, three classes"]
    generator, _, _, _ = built(name, spec)
    latents, labels = torch.randn(40, generator.latent), torch.zeros(40, dtype=torch.long)
    generator.train()
    for _ in range(20):  # moves the mean style
        generator(latents, labels)
    generator.eval()
    with torch.no_grad():
        spread = [float(generator(latents, labels, bound).var(dim=0).mean()) for bound in (None, 0.5)]
    assert spread[1] < 0.9 * spread[0]


def test_truncated_latents_have_the_law_of_redrawn_ones():
    drawn = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    bounded = truncated_normal(drawn, 1.0)
    redrawn = drawn[drawn.abs() <= 1]
    assert bounded.abs().max() <= 1
    assert abs(float(bounded.std() - redrawn.std())) < 3e-3
    for share in (0.1, 0.25, 0.5, 0.9):
        assert abs(float(bounded.quantile(share) - redrawn.quantile(share))) < 1e-2


@pytest.mark.parametrize(("size", "near"), [(30, "28 or 32"), (100, "96 or 112"), (18, "16 or 20")])
def test_a_size_that_doublings_cannot_make_is_refused_with_those_near_it(size, near):
    with pytest.raises(ValueError, match=f"such as {near}, got {size}"):
        ImageSpec(size)
