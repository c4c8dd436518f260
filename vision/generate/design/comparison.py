"""How good designs are, on masks and colours of photos that were not learnt from, beside designs without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import zoom

from ....datasets.pictures.source import Progress, Source
from ....datasets.pictures.split import ArticleSplit
from ....evaluation.scores.designs import (
    colour_errors,
    colour_leaks,
    contrasts,
    explained_share,
    mask_overlaps,
    mean_colours,
    pattern_similarities,
)
from ....evaluation.scores.generated import frechet_distance
from ....runtime.arguments.kinds import Count, Seed, checked
from ....runtime.arguments.naming import naming
from ....runtime.plain import made_of
from ....runtime.run_folder import RunFolder
from ...embed.encoder import ArticleEncoder
from .designer import SPLIT, Packshots, TrainedDesigner, packshots
from .masks import article_masks

_LEAST = 4
"""Held-out photos: their own distance is that of one half to the other."""

Draw = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Texture seeds ``[n]``, colours ``[n, 3]`` and masks ``[n, S, S]``, 0…1, to images ``[n, 3, S, S]``, 0…1."""


@checked
def score_designer(
    checkpoint: str,
    source: Source,
    features: str,
    *,
    count: Count = 500,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Scores of designs in masks and colours of held-out photos.

    The rows are the designer, the same network untrained, the mask filled with the colour, the filled mask with noise
    drawn by the texture seed (as strong as patterns of photos are), a pattern cut out of a training photo and set into
    the mask in the colour that was asked for, and the held-out photos themselves.

    Arguments:
        checkpoint: the run of a designer.
        source: the catalogue that it was trained on.
        features: the run of a classifier, or the name of a backbone, for the Fréchet distance.
        count: designs of a row, at most the held-out packshots.
        seed: draws which mask has which colour.
        progress: called with the photos opened and all photos.

    Returns:
        A row for each kind: ``images``; ``colour`` (distance of mean colours, 0…1 a channel) and ``overlap`` (IoU of
        what differs from white with the mask); ``kept`` (correlation of the pattern with that in another colour) and
        ``other`` (with that of another texture); ``leak`` (distance of the mean colours of two textures) and ``probe``
        (share of the errors of colour that a linear function of the texture's latents tells, at most 0 where nothing
        leaks); ``contrast`` (of that of photos); ``frechet`` (to the held-out photos, in the features that are named),
        ``features`` and ``count``.

    Raises:
        ValueError: there are fewer than four packshots on the test side.
    """
    folder = RunFolder(checkpoint)
    trained = TrainedDesigner.load(folder)
    split = made_of(folder.read_json(SPLIT), ArticleSplit)
    with naming("features", features):
        encoder = ArticleEncoder.of_run(features) if RunFolder(features).has("model.json") else None
        encoder = encoder or ArticleEncoder.of_backbone(features)
    pictures = source.load(2 * trained.network.form.size, progress=progress)
    held_out, learnt = (packshots(source, pictures, side) for side in (split.test, split.train))
    if len(held_out.images) < _LEAST:
        raise ValueError(
            f"data: expected {_LEAST} or more packshots on the test side of {checkpoint}, got {len(held_out.images)}"
        )
    trial = DesignTrial.of(held_out, encoder, count, seed)
    torch.manual_seed(seed)
    untrained = TrainedDesigner(trained.network.form.build().eval(), trained.training, trained.masks)
    rows: dict[str, Draw] = {
        "fill": flat_fill,
        "fill and noise": noisy_fill(float(contrasts(trial.photos, trial.asked.masks).mean())),
        "cut and recoloured": cut_pattern(learnt),
    }
    table = [trial.row_of("designer", trained), trial.row_of("untrained", untrained)]
    table += [trial.row(name, draw) for name, draw in rows.items()]
    return pd.DataFrame([*table, trial.photos_row()]).assign(features=encoder.name, count=len(trial.photos))


@dataclass(frozen=True)
class Asked:
    """What is asked of a designer.

    Arguments:
        seeds: ``[n]``, of textures.
        colours: ``[n, 3]``, 0…1.
        others: ``[n, 3]``, other colours of the same designs.
        masks: ``[n, S, S]``, 0…1.
    """

    seeds: np.ndarray
    colours: np.ndarray
    others: np.ndarray
    masks: np.ndarray

    def scores(
        self, draw: Draw, usual: float, latents: np.ndarray | None = None
    ) -> tuple[np.ndarray, dict[str, float]]:
        """What is drawn and its scores; `usual` is the contrast of photos, `latents` are the textures' ``[n, Z]``."""
        first = draw(self.seeds, self.colours, self.masks)
        recoloured = draw(self.seeds, self.others, self.masks)
        another = draw(self.seeds + len(self.seeds), self.colours, self.masks)
        shapes = article_masks((first * 255).round().astype(np.uint8))
        missed = mean_colours(first, self.masks) - self.colours
        return first, {
            "colour": float(colour_errors(first, self.masks, self.colours).mean()),
            "overlap": float(mask_overlaps(shapes, self.masks > 0.5).mean()),
            "kept": float(pattern_similarities(first, recoloured, self.masks).mean()),
            "other": float(pattern_similarities(first, another, self.masks).mean()),
            "leak": float(colour_leaks(first, another, self.masks).mean()),
            "probe": float("nan") if latents is None else explained_share(latents, missed),
            "contrast": float(np.median(contrasts(first, self.masks)) / usual),
        }


@dataclass(frozen=True)
class DesignTrial:
    """What is asked of designers, and the photos that their images are compared with.

    Arguments:
        asked: the designs.
        photos: ``[n, 3, S, S]``, 0…1, whose masks and colours are asked for.
        encoder: what images are compared by.
        real: its features of the photos, ``[n, F]``.
    """

    asked: Asked
    photos: np.ndarray
    encoder: ArticleEncoder
    real: np.ndarray

    @classmethod
    def of(cls, held_out: Packshots, encoder: ArticleEncoder, count: int, seed: int = 0) -> DesignTrial:
        """A trial of so many of the photos, at most all, each mask in the colours of others; `seed` draws which."""
        rng = np.random.default_rng(seed)
        count = min(count, len(held_out.images))
        chosen = rng.permutation(len(held_out.images))[:count]
        photos = held_out.images.numpy()[chosen] / 255
        masks = held_out.masks.numpy()[chosen, 0] / 255
        own = mean_colours(photos, masks)
        asked = Asked(np.arange(count), own[rng.permutation(count)], own[rng.permutation(count)], masks)
        return cls(asked, photos, encoder, _features(encoder, photos))

    def row(self, name: str, draw: Draw, latents: np.ndarray | None = None) -> dict[str, object]:
        """The scores of what is drawn, see `score_designer`; `latents` of the textures ``[n, Z]``, where there are."""
        usual = float(np.median(contrasts(self.photos, self.asked.masks)))
        found, scores = self.asked.scores(draw, usual, latents)
        return {"images": name, **scores, "frechet": frechet_distance(self.real, _features(self.encoder, found))}

    def row_of(self, name: str, trained: TrainedDesigner) -> dict[str, object]:
        """The scores of a designer."""
        return self.row(name, _drawn_by(trained), trained.textures(self.asked.seeds.tolist()).numpy())

    def photos_row(self) -> dict[str, object]:
        """The scores of the photos: one half of them against the other."""
        half = len(self.photos) // 2
        apart = frechet_distance(self.real[:half], self.real[half : 2 * half])
        return {"images": "held-out photos", "contrast": 1.0, "frechet": apart}


def flat_fill(seeds: np.ndarray, colours: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The mask filled with the colour, on white."""
    found: np.ndarray = masks[:, None] * colours[:, :, None, None] + (1 - masks[:, None])
    return found


def noisy_fill(strength: float) -> Draw:
    """A filled mask with white noise in its brightness, drawn by the texture seed, with this standard deviation."""

    def draw(seeds: np.ndarray, colours: np.ndarray, masks: np.ndarray) -> np.ndarray:
        noise = np.stack([np.random.default_rng(seed).normal(0, strength, masks.shape[1:]) for seed in seeds])
        return _laid(noise[:, None].repeat(3, axis=1), colours, masks)

    return draw


def cut_pattern(shots: Packshots) -> Draw:
    """The pattern of a photo, chosen by the texture seed, stretched to the box of the mask and recoloured."""

    def draw(seeds: np.ndarray, colours: np.ndarray, masks: np.ndarray) -> np.ndarray:
        patterns = np.zeros((len(seeds), 3, *masks.shape[1:]))
        for number, seed in enumerate(seeds):
            row = int(np.random.default_rng(seed).integers(len(shots.images)))
            photo, place = shots.images[row].numpy() / 255, shots.masks[row, 0].numpy() / 255
            apart = (photo - mean_colours(photo[None], place[None])[0][:, None, None]) * place
            cut, into = _box(place), _box(masks[number])
            factors = [
                (there.stop - there.start) / (here.stop - here.start) for here, there in zip(cut, into, strict=True)
            ]
            patterns[(number, slice(None), *into)] = zoom(apart[(slice(None), *cut)], (1, *factors), order=1)
        return _laid(patterns, colours, masks)

    return draw


def _laid(patterns: np.ndarray, colours: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Patterns on colours in masks; what a mean within the mask is not 0 by is taken off."""
    weights = masks / masks.sum(axis=(1, 2), keepdims=True)
    patterns = patterns - np.einsum("nchw,nhw->nc", patterns, weights)[:, :, None, None]
    inside = (colours[:, :, None, None] + patterns).clip(0, 1)
    found: np.ndarray = masks[:, None] * inside + (1 - masks[:, None])
    return found


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    down, across = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)


def _drawn_by(trained: TrainedDesigner) -> Draw:
    def draw(seeds: np.ndarray, colours: np.ndarray, masks: np.ndarray) -> np.ndarray:
        found: np.ndarray = trained.draw(trained.textures(seeds.tolist()), colours, masks) / 255
        return found

    return draw


def _features(encoder: ArticleEncoder, images: np.ndarray) -> np.ndarray:
    network, found = encoder.network.eval(), []
    with torch.inference_mode():
        for some in torch.from_numpy((images * 255).round().astype(np.uint8)).split(64):
            found.append(network.photo_vectors(network.prepare(some)).float())
    return torch.cat(found).numpy()
