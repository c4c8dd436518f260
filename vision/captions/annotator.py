"""A trained captioner with all that it needs to word photos, in a folder and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ...runtime.arguments.kinds import Checked, Count
from ...runtime.arguments.naming import naming
from ...runtime.display.showing import Shown
from ...runtime.plain import PlainObject, made_of, to_plain
from ...runtime.reading.weights import network_with_tensors
from ...runtime.run_folder import RunFolder
from ..embed.encoder import ArticleEncoder, open_encoder
from ..networks.product_network import network_form
from .captioner import Captioner, CaptionerConfig
from .words import CaptionTokenizer

MODEL, WEIGHTS, WORDS, ENCODER = "captioner.json", "captioner.safetensors", "tokenizer.json", "encoder.safetensors"


@dataclass(frozen=True, repr=False)
class Annotator(Shown):
    """A trained captioner with its tokenizer and encoder.

    Arguments:
        captioner: the network, in evaluation mode.
        tokenizer: its words.
        mean: ``[F]``, what is subtracted from an article vector.
        std: ``[F]``, by what it is divided.
        encoder: the run or backbone that makes the vectors, and its name as it was at training.
        tuned: what makes them where that learnt along; ``None`` where it stayed as it was.
    """

    captioner: Captioner
    tokenizer: CaptionTokenizer
    mean: Tensor
    std: Tensor
    encoder: dict[str, str]
    tuned: ArticleEncoder | None = None

    def _shown(self) -> dict[str, object]:
        """Words, encoder and parameters."""
        count = sum(each.numel() for each in self.captioner.parameters())
        name = self.encoder["name"] if self.tuned is None else self.tuned.name
        return {"words": len(self.tokenizer), "encoder": name, "parameters": count}

    def opened_encoder(self) -> ArticleEncoder:
        """What makes the vectors.

        Raises:
            ValueError: its weights are not those of training.
        """
        return open_encoder(self.encoder) if self.tuned is None else self.tuned

    def say(self, vectors: np.ndarray, *, beams: int = 5, batch_size: int = 256) -> list[str]:
        """A title for each article vector ``[n, F]``."""
        said = []
        for some in torch.from_numpy(vectors).split(batch_size):
            numbers = self.captioner.say((some - self.mean) / self.std, beams=beams)
            said += [self.tokenizer.decode(row) for row in numbers.tolist()]
        return said

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON."""
        folder.write_tensors(WEIGHTS, {**self.captioner.state_dict(), "mean": self.mean, "std": self.std})
        folder.write_bytes(WORDS, self.tokenizer.to_text().encode())
        described: PlainObject = {"captioner": to_plain(self.captioner.config), "encoder": self.encoder}
        if self.tuned is not None:
            folder.write_tensors(ENCODER, self.tuned.network.state_dict())
            described["tuned"] = to_plain(_Tuned.of(self.tuned))
        folder.write_json(MODEL, described)

    @classmethod
    def load(cls, folder: RunFolder) -> Annotator:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no captioner in the folder.
            ValueError: the weights or words are not those of the described captioner, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            described = folder.read_json(MODEL)
            form, place = described["captioner"], folder.path(WEIGHTS)
            tensors = folder.read_tensors(WEIGHTS)
            mean, std = tensors.pop("mean"), tensors.pop("std")
            captioner = network_with_tensors(lambda: Captioner(made_of(form, CaptionerConfig)), tensors, place, form)
            if mean.shape != std.shape or mean.shape != (captioner.config.features,):
                raise ValueError(
                    f"{place}: expected a mean and std of {captioner.config.features} features, got others"
                )
            tokenizer = CaptionTokenizer.from_text(folder.read_bytes(WORDS).decode())
            if len(tokenizer) != captioner.config.vocabulary:
                expected = f"expected {captioner.config.vocabulary} words, as the captioner has"
                raise ValueError(f"{folder.path(WORDS)}: {expected}, got {len(tokenizer)}")
            tuned = made_of(described["tuned"], _Tuned).read(folder) if "tuned" in described else None
            if tuned is not None and tuned.network.features != captioner.config.features:
                expected = f"expected a network of {captioner.config.features} features, as the captioner reads"
                raise ValueError(f"{folder.path(ENCODER)}: {expected}, got {tuned.network.features}")
            return cls(captioner.eval(), tokenizer, mean, std, described["encoder"], tuned)


@dataclass(frozen=True)
class _Tuned(Checked):
    """An encoder that learnt along, but for its weights."""

    # Any: the form of a network, which its reader checks.

    network: Mapping[str, Any]
    name: str
    pooling: str
    max_images: Count | None

    @classmethod
    def of(cls, encoder: ArticleEncoder) -> _Tuned:
        form = cast("Mapping[str, Any]", to_plain(encoder.network.form))
        return cls(form, encoder.name, encoder.pooling, encoder.max_images)

    def read(self, folder: RunFolder) -> ArticleEncoder:
        tensors, place = folder.read_tensors(ENCODER), folder.path(ENCODER)
        network = network_with_tensors(lambda: network_form(self.network).build(), tensors, place, self.network)
        return ArticleEncoder(network.eval(), self.name, self.pooling, self.max_images)
