"""From the photos of an article to everything that is asked of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ...datasets.pictures.labels import LabelSpace
from ...runtime.arguments.kinds import Checked, Count, Dropout, Number
from ...runtime.plain import Plain, made_of, object_in
from ..titles.title_words import TitleWords
from .backbone import SMALL_CNN, Backbone, BackboneForm
from .colours import ColourHistogram, LabColours
from .known_backbones import backbone_form
from .preprocessing import Prepare, Side
from .set_pooling import SET_POOLINGS, MeanPooling, pad_sets
from .spatial_transformer import SpatialTransformer
from .standardisation import Standardisation

Pooling = Literal["max", "mean", "attention", "logits"]
Colours = Literal["none", "hsv", "lab"]

NO_TITLES, WORDS = "none", "words"

_COLOUR_HIDDEN = 256

_COLOUR_SPREAD = 0.05
"""The least deviation by which a feature of colours is divided: a bin that is nearly always empty stays small."""

_TITLES_HIDDEN, _PHOTOS_HIDDEN = 0.2, 0.4
"""Shares of the articles of a step of which the titles, or the photos, are not seen where both are read."""

_WORD_SCALE = 10.0
"""What TF-IDF vectors of length 1 are multiplied with: a word then counts as much as a feature that is standardised."""

_COLOURS: dict[str, Callable[[], ColourHistogram | LabColours | None]] = {
    "none": lambda: None,
    "hsv": ColourHistogram,
    "lab": LabColours,
}


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """The form of a product network.

    Arguments:
        backbone: what sees one image: a name, folder or hub name, see `build_backbone`.
        size: side of the images, pixels; ``None``: what the backbone expects.
        channels: 3, or 1 for grey; ``None``: what the backbone expects.
        widths: stages of the small network.
        pooling: how the photos of an article become one vector (``"max"``, ``"mean"``, ``"attention"``), or
            ``"logits"``: each photo is judged alone and the judgements are averaged.
        hidden: width of the dense layers before and after the pooling, 0 for none: a small network learns faster
            without them, Lyst's had 1024.
        dropout: share of dense outputs left out in training.
        input_dropout: share of the features of a photo left out in training.
        spatial_transformer: whether a learned warp comes before the backbone.
        colours: what of the colours of the article joins the vector of a photo: ``"lab"``, see `LabColours`; ``"hsv"``,
            see `ColourHistogram`; or ``"none"``.
        colour_tasks: the tasks that see the colours, through a hidden layer of their own; all tasks see them where none
            is named. What kind an article is has little to do with its colour, and is learnt better without.
        text: what reads the titles of articles, whose vectors join those of their photos before the heads: ``"words"``,
            see `TitleWords`; a network of words, see `TextEncoder.name`; or ``"none"``.
        titles: the width of the vectors of titles; 0 where none are read, and before it is known.
        depths: whether the vector of a photo is drawn from several depths of the backbone, see `Backbone.depths`.
        standardise: whether the features of a photo are brought to mean 0 and standard deviation 1 over the training
            photos; for backbones that stay as they are.

    Raises:
        ValueError: an argument is out of its range.
    """

    backbone: str = SMALL_CNN
    size: Side | None = None
    channels: int | None = None
    widths: tuple[Count, ...] = (32, 64, 128)
    pooling: Pooling = "max"
    hidden: Number = 0
    dropout: Dropout = 0.2
    input_dropout: Dropout = 0.0
    spatial_transformer: bool = False
    colours: Colours = "none"
    colour_tasks: tuple[str, ...] = ()
    depths: bool = False
    text: str = "none"
    titles: Number = 0
    standardise: bool = False

    def __post_init__(self) -> None:
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels: expected 1 or 3, got {self.channels}")
        if self.colour_tasks and (self.colours == "none" or self.hidden):
            raise ValueError(
                "colour_tasks: expected none without colours or with a hidden layer of all tasks, got some"
            )
        if self.text == NO_TITLES and self.titles:
            raise ValueError(f"titles: expected 0 where no titles are read, got {self.titles}")


class ProductNetwork(nn.Module):
    """Images → vectors → a dense layer → set pooling → a dense layer → a head for each task.

    One task and one image are its special cases. With ``"max"`` pooling it is the network of Lyst (E. Bell,
    2018), with any backbone in the place of ZFNet.

    Arguments:
        backbone: image to vector.
        labels: the tasks and their classes.
        config: the rest of the form.

    Example:
        >>> from hemline.datasets.pictures.labels import Task
        >>> from hemline.vision.networks.small_cnn import SmallCNN
        >>> labels = LabelSpace((Task("colour", ("red", "blue")), Task("facets", ("v-neck",), facets=True)))
        >>> network = ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=labels)
        >>> photos = torch.zeros(3, 3, 16, 16, dtype=torch.uint8)
        >>> logits = network(photos, article=torch.tensor([0, 0, 1]), articles=2)
        >>> {task: tuple(values.shape) for task, values in logits.items()}
        {'colour': (2, 2), 'facets': (2, 1)}
    """

    def __init__(self, *, backbone: Backbone, labels: LabelSpace, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        self.labels = labels
        self.backbone = backbone
        self.prepare = Prepare(backbone.preprocessing)
        if self.config.colours != "none" and backbone.preprocessing.channels != 3:
            raise ValueError(f"colours: expected images of 3 channels, got {backbone.preprocessing.channels}")
        if self.config.depths and not backbone.depths:
            raise ValueError(f"depths: expected a backbone of which several depths are known, got {backbone.name!r}")
        self.colours = _COLOURS[self.config.colours]()
        shape = backbone.deep_features if self.config.depths else backbone.features
        seen = shape + (self.colours.features if self.colours is not None else 0)
        least = torch.cat([torch.full((shape,), 1e-6), torch.full((seen - shape,), _COLOUR_SPREAD)])
        self.scale = Standardisation(seen, least) if self.config.standardise else nn.Identity()
        width = self.config.hidden or seen
        self.warp = SpatialTransformer(backbone.preprocessing.channels) if self.config.spatial_transformer else None
        self.hide = nn.Dropout(self.config.input_dropout)
        self.view = self._dense(seen)
        self.pool = SET_POOLINGS.get(self.config.pooling, MeanPooling)(width)
        self.dense = self._dense(width)
        self.words = TitleWords(self.config.titles) if self.config.text == WORDS else None
        self.title_scale = Standardisation(self.config.titles) if self.config.text not in (NO_TITLES, WORDS) else None
        if strange := [name for name in self.config.colour_tasks if name not in [task.name for task in labels.tasks]]:
            raise ValueError(
                f"colour_tasks: expected tasks of {[task.name for task in labels.tasks]}, got {strange[0]!r}"
            )
        self.shape = shape if self.config.colour_tasks else width
        self.coloured = _colour_layer(width) if self.config.colour_tasks else None
        reads = [_COLOUR_HIDDEN if self._sees_colours(task.name) else self.shape for task in labels.tasks]
        # A number and not the task's name: a column may be called what a module cannot be.
        self.heads = nn.ModuleList(
            nn.Linear(read + self.config.titles, len(task.classes))
            for read, task in zip(reads, labels.tasks, strict=True)
        )
        self.features = width
        self.frozen = False

    def freeze(self) -> ProductNetwork:
        """Freeze the weights and batch statistics of the backbone."""
        self.frozen = True
        self.backbone.requires_grad_(False)
        return self.train(self.training)

    def train(self, mode: bool = True) -> ProductNetwork:
        """Training or evaluation mode; a frozen backbone stays in the latter."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(
        self, pixels: Tensor, article: Tensor, articles: int, titles: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Logits of each task for articles, from stored photos.

        Arguments:
            pixels: uint8 ``[N, 1 or 3, S, S]``.
            article: int64 ``[N]``, ascending, to which of the articles a photo belongs.
            articles: the number of articles B.
            titles: ``[B, titles]``, vectors of their titles; ``None`` where none is known.

        Returns:
            Task -> logits ``[B, classes]``.
        """
        return self.judge(self.prepare(pixels), article, articles, titles)

    def judge(self, images: Tensor, article: Tensor, articles: int, titles: Tensor | None = None) -> dict[str, Tensor]:
        """Logits of each task, from prepared (and augmented) images."""
        return self.judge_vectors(self.photo_vectors(images), article, articles, titles)

    def photo_vectors(self, images: Tensor) -> Tensor:
        """The vector of each prepared image before all that a frozen backbone leaves to learn, ``[N, F]``."""
        seen = images if self.warp is None else self.warp(images)
        vectors = self.backbone.deep_vectors(seen) if self.config.depths else self.backbone(seen)
        if self.colours is None:
            return vectors
        # Both of length 1, so that neither decides alone where distances are taken.
        vectors = nn.functional.normalize(vectors, dim=1)
        return torch.cat([vectors, self.colours(self.prepare.brightness(images))], dim=1)

    def judge_vectors(
        self, vectors: Tensor, article: Tensor, articles: int, titles: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Logits of each task, from the output of `photo_vectors`."""
        views = self.view(self.hide(self.scale(vectors)))
        if self.config.pooling != "logits":
            return self._answers(self.dense(self.pool(*pad_sets(views, article, articles))), titles)
        judged = self._answers(self.dense(views), None if titles is None else titles[article])
        return {task: self.pool(*pad_sets(logits, article, articles)) for task, logits in judged.items()}

    def embed(self, pixels: Tensor, article: Tensor, articles: int) -> Tensor:
        """The vector of each article before the heads ``[B, F]``; zero for an article without a photo."""
        views = self.view(self.scale(self.photo_vectors(self.prepare(pixels))))
        if self.config.pooling == "logits":
            return self.pool(*pad_sets(self.dense(views), article, articles))
        padded, mask = pad_sets(views, article, articles)
        return self.dense(self.pool(padded, mask)) * mask.any(dim=1, keepdim=True)

    def for_inference(self) -> ProductNetwork:
        """An equivalent network optimised for inference, sharing its other parts with this one."""
        faster = copy.copy(self)
        faster._modules = {**self._modules, "backbone": self.backbone.for_inference()}
        return faster

    @property
    def form(self) -> NetworkForm:
        """All that the network is but its weights."""
        return NetworkForm(self.config, self.backbone.form, self.labels)

    def _answers(self, vectors: Tensor, titles: Tensor | None) -> dict[str, Tensor]:
        parts = {False: vectors[:, : self.shape]}
        if self.coloured is not None:
            parts[True] = self.coloured(vectors)
        if self.config.titles:
            told = vectors.new_zeros(len(vectors), self.config.titles) if titles is None else self._scaled(titles)
            if self.training:
                # Each has to do alone at times: an article may have no title, and photos that are known by heart say
                # more of the training articles than of others.
                drawn = torch.rand(len(vectors), 1, device=vectors.device)
                told = told * (drawn >= _TITLES_HIDDEN)
                shown = drawn < 1 - _PHOTOS_HIDDEN
                parts = {colours: part * shown for colours, part in parts.items()}
            parts = {colours: torch.cat([part, told], dim=1) for colours, part in parts.items()}
        tasks = [task.name for task in self.labels.tasks]
        return {name: head(parts[self._sees_colours(name)]) for name, head in zip(tasks, self.heads, strict=True)}

    def _sees_colours(self, task: str) -> bool:
        return task in self.config.colour_tasks

    def _scaled(self, titles: Tensor) -> Tensor:
        """Titles on the scale of standardised features; what says nothing stays 0."""
        if self.title_scale is None:
            return titles * _WORD_SCALE
        return self.title_scale(titles) * (titles != 0).any(dim=1, keepdim=True)

    def _dense(self, width: int) -> nn.Module:
        if self.config.hidden == 0:
            return nn.Identity()
        return nn.Sequential(nn.Linear(width, self.config.hidden), nn.ReLU(), nn.Dropout(self.config.dropout))


def _colour_layer(width: int) -> nn.Sequential:
    """A hidden layer: which of an article's colours is said to be its colour depends on what it is."""
    return nn.Sequential(nn.Dropout(0.3), nn.Linear(width, _COLOUR_HIDDEN), nn.ReLU(), nn.Dropout(0.5))


@dataclass(frozen=True)
class NetworkForm(Checked):
    """The form of a product network with the classes of its tasks, as files hold it.

    Arguments:
        config: the numbers.
        backbone: what sees one image.
        labels: the tasks and their classes.
    """

    config: NetworkConfig
    backbone: BackboneForm
    labels: LabelSpace

    def build(self) -> ProductNetwork:
        """The network of this form, with random weights."""
        return ProductNetwork(backbone=self.backbone.build(), labels=self.labels, config=self.config)


def network_form(data: Mapping[str, Plain]) -> NetworkForm:
    """The form of a network in a file: what `to_plain` wrote of it, in this version or an earlier one.

    Raises:
        ValueError: it is none.
    """
    config = {**object_in(data, "config")}
    if isinstance(told := config.get("colours"), bool):  # of earlier versions
        config["colours"] = "hsv" if told else "none"
    return NetworkForm(
        config=made_of(config, NetworkConfig),
        backbone=backbone_form(object_in(data, "backbone")),
        labels=label_space(data),
    )


def label_space(data: Mapping[str, Plain]) -> LabelSpace:
    """The tasks of a network in a file, see `network_form`."""
    labels = data.get("labels")  # a list of tasks in earlier versions
    return made_of({"tasks": labels} if isinstance(labels, list) else object_in(data, "labels"), LabelSpace)
