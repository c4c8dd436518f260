"""Recipes by the names of papers: the form of both networks and how they are trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...runtime.arguments.kinds import Checked, Count
from .adversarial.training import AdversarialConfig
from .networks.network import CriticForm, GeneratorForm
from .networks.plain import DCGANCriticForm, DCGANGeneratorForm, DenseCriticForm, DenseGeneratorForm
from .networks.residual import ResidualCriticForm, ResidualGeneratorForm
from .networks.style import StyleCriticForm, StyleGAN2GeneratorForm, StyleGANGeneratorForm


@dataclass(frozen=True)
class Recipe(Checked):
    """How a generator is made.

    Arguments:
        generator: the form of the generator.
        critic: the form of the critic.
        training: the options of the training.
        about: what it is, in a line, with its source.
    """

    generator: GeneratorForm
    critic: CriticForm
    training: AdversarialConfig
    about: str


RECIPES: dict[str, Recipe] = {
    "gan": Recipe(
        DenseGeneratorForm(),
        DenseCriticForm(),
        AdversarialConfig(loss="non-saturating", betas=(0.5, 0.999)),
        "Dense layers, the first of all (I. Goodfellow et al., 2014, arXiv 1406.2661)",
    ),
    "dcgan": Recipe(
        DCGANGeneratorForm(),
        DCGANCriticForm(),
        AdversarialConfig(loss="non-saturating", betas=(0.5, 0.999)),
        "Strided convolutions with batch normalisation (A. Radford et al., 2016, arXiv 1511.06434)",
    ),
    "wgan": Recipe(
        DCGANGeneratorForm(),
        DCGANCriticForm(normalise=False),
        AdversarialConfig(loss="wasserstein", optimiser="rmsprop", lr=5e-5, critic_lr=5e-5, critic_steps=5, clip=0.01),
        "Wasserstein distance with clipped weights (M. Arjovsky et al., 2017, arXiv 1701.07875)",
    ),
    "wgan-gp": Recipe(
        ResidualGeneratorForm(),
        ResidualCriticForm(spectral=False),
        AdversarialConfig(
            loss="wasserstein", lr=1e-4, critic_lr=1e-4, critic_steps=5, gradient_penalty=10.0, drift=1e-3
        ),
        "Wasserstein distance with a gradient penalty and drift (I. Gulrajani et al., 2017, arXiv 1704.00028)",
    ),
    "sn-gan": Recipe(
        ResidualGeneratorForm(),
        ResidualCriticForm(),
        AdversarialConfig(critic_steps=5),
        "Residual networks, spectral norm in the critic, hinge loss (T. Miyato et al., 2018, arXiv 1802.05957)",
    ),
    "sagan": Recipe(
        ResidualGeneratorForm(spectral=True, attention=14),
        ResidualCriticForm(attention=14),
        AdversarialConfig(lr=1e-4, critic_lr=4e-4),
        "Self-attention, spectral norm in both, two speeds of learning (H. Zhang et al., 2019, arXiv 1805.08318)",
    ),
    "biggan": Recipe(
        ResidualGeneratorForm(spectral=True, attention=14, shared=64, by_depth=True),
        ResidualCriticForm(attention=14),
        AdversarialConfig(lr=1e-4, critic_lr=4e-4, critic_steps=2, betas=(0.0, 0.999), average=0.9999),
        "Shared class embedding, latents at each depth, truncation (A. Brock et al., 2019, arXiv 1809.11096)",
    ),
    "stylegan": Recipe(
        StyleGANGeneratorForm(),
        StyleCriticForm(residual=False),
        AdversarialConfig(loss="non-saturating", lr=1e-3, critic_lr=1e-3, betas=(0.0, 0.99), r1=10.0),
        "A style for each layer by AdaIN, noise, R1 (T. Karras et al., 2019, arXiv 1812.04948)",
    ),
    "stylegan2": Recipe(
        StyleGAN2GeneratorForm(),
        StyleCriticForm(),
        AdversarialConfig(
            loss="non-saturating",
            lr=2e-3,
            critic_lr=2e-3,
            betas=(0.0, 0.99),
            r1=1.0,
            path_length=2.0,
            every=8,
        ),
        "Modulated convolutions, path length (T. Karras et al., 2020, arXiv 1912.04958)",
    ),
    "relativistic": Recipe(
        ResidualGeneratorForm(),
        ResidualCriticForm(spectral=False),
        AdversarialConfig(loss="relativistic", r1=1.0, r2=1.0),
        "Pairs of real and generated images, R1 and R2 (Y. Huang et al., 2024, arXiv 2501.05441)",
    ),
    "small": Recipe(
        ResidualGeneratorForm(width=32, most=128),
        ResidualCriticForm(width=32, most=128),
        AdversarialConfig(steps=12_000, lr=5e-4, critic_lr=1e-3, decay=0.5),
        "The residual networks in a size for two processor cores, trained at two speeds that fall at the end",
    ),
}
"""The recipes by their names; sizes suit 28 to 128 pixels, `widened` changes them."""

DEFAULT = "small"


def widened(recipe: Recipe, width: Count) -> Recipe:
    """The recipe with so many channels at the full side of both networks, and at most eight times as many.

    Raises:
        ValueError: its networks are dense and have no channels.
    """
    if isinstance(recipe.generator, DenseGeneratorForm):
        raise ValueError(f"width: expected none for dense networks, got {width}")
    # Every other form has both; of the base class it is not known that it is a dataclass.
    changed = {"width": width, "most": 8 * width}
    return replace(
        recipe,
        generator=replace(recipe.generator, **changed),  # type: ignore[type-var]
        critic=replace(recipe.critic, **changed),  # type: ignore[type-var]
    )
