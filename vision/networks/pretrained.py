"""Backbones of the `transformers` library: stored weights from a folder or the hub, or the bare form offline."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...runtime.arguments.kinds import Checked
from ...runtime.arguments.naming import naming
from ...runtime.reading.json_files import read_json
from ...runtime.reading.places import network_is_refused
from .backbone import Backbone, BackboneForm
from .efficientnet_lite import FORMS
from .preprocessing import Preprocessing

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))

HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Family:
    """A kind of network in `transformers`.

    Arguments:
        model: the class of the network.
        output: which of its outputs is the vector of an image.
        pooling: how that output is drawn from the last map, in words.
        scale: mean and standard deviation of the inputs it is usually trained with.
        resizable: whether images of another size need its position table interpolated by a flag.
    """

    model: str
    output: str
    pooling: str
    scale: tuple[tuple[float, ...], tuple[float, ...]]
    resizable: bool = False


FAMILIES: dict[str, Family] = {
    "resnet": Family("ResNetModel", "pooler_output", "mean over the last map", IMAGENET),
    "convnextv2": Family("ConvNextV2Model", "pooler_output", "mean over the last map, normalised", IMAGENET),
    "dinov2": Family("Dinov2Model", "pooler_output", "class token, normalised", IMAGENET),
    "clip_vision_model": Family("CLIPVisionModelWithProjection", "image_embeds", "class token, projected", CLIP, True),
    "siglip_vision_model": Family("SiglipVisionModel", "pooler_output", "attention head", HALF, True),
}
"""Model type of `transformers` -> what is needed to use it here, where that is not what `ANY` says."""

ANY = Family("AutoModel", "pooled", "its own pooling, or the mean over the last map", IMAGENET)
"""What any other vision network is used as."""

_NOT_ALONE = ("clip", "imagegpt", "metaclip_2", "perceiver", "shieldgemma2", "siglip", "siglip2", "timm_wrapper")
"""Types with a classifier of images that also read words, or colours as words, or fetch weights of another library."""


@dataclass(frozen=True)
class Architecture:
    """A form of a network, without weights.

    Arguments:
        model_type: the key in `FAMILIES`.
        options: what differs from the family's defaults.
    """

    model_type: str
    options: Mapping[str, Any] = field(default_factory=dict)


ARCHITECTURES: dict[str, Architecture] = {
    "resnet-50": Architecture("resnet"),
    "convnextv2-tiny": Architecture("convnextv2"),
    "dinov2-small": Architecture("dinov2", {"hidden_size": 384, "num_attention_heads": 6, "image_size": 224}),
    "clip-vit-b32": Architecture("clip_vision_model"),
    "siglip-base": Architecture("siglip_vision_model"),
}
"""The forms that can be made with random weights, by name."""

_NO_FORM = ("backbone", "use_timm_backbone", "use_pretrained_backbone")
"""What of a form names another network, on the hub."""

_LAYER = re.compile(r"\.(?:layer|layers|stages)\.(\d+)\.")


class TransformersBackbone(Backbone):
    """A vision network of `transformers` as a backbone.

    Arguments:
        model: the network.
        name: what it was made from.
        preprocessing: what its inputs look like.
    """

    def __init__(self, model: nn.Module, name: str, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.model, self.name, self.preprocessing = model, name, preprocessing
        config: Any = model.config
        self.family = _family(config.model_type, name)
        self.pooling = self.family.pooling
        self.interpolate = self.family.resizable and preprocessing.size != config.image_size
        self.features = self._width()

    @classmethod
    def named(cls, name: str, *, size: int | None = None) -> TransformersBackbone:
        """A backbone by a name of `ARCHITECTURES` (random weights), or from a local folder or the hub.

        Arguments:
            name: the name, folder or hub name.
            size: side of the images; by default what the weights expect.

        Raises:
            ValueError: the family is not known, or the folder does not say how its images are prepared.
            FileNotFoundError: there is no such folder, and the hub does not answer or has none.
        """
        if name in ARCHITECTURES:
            return cls._bare(name, size)
        with naming("backbone", name):
            return cls._stored(name, size)

    @classmethod
    def _bare(cls, name: str, size: int | None) -> TransformersBackbone:
        import transformers

        made = ARCHITECTURES[name]
        config = transformers.AutoConfig.for_model(made.model_type, **made.options)
        usual = getattr(config, "image_size", 224)
        if made.model_type in ("clip_vision_model", "siglip_vision_model", "dinov2") and size is not None:
            # Without weights there is no position table to interpolate: it is made for this size.
            config.image_size = size
        family = FAMILIES[made.model_type]
        model = _bare_model(family, config)
        return cls(model, name, Preprocessing(size or usual, 3, *family.scale, fit="crop"))

    @classmethod
    def _stored(cls, name: str, size: int | None) -> TransformersBackbone:
        import transformers

        try:
            # Weights of a name alone: code that a folder or the hub has beside them is not run.
            stored: dict[str, Any] = {"trust_remote_code": False, "local_files_only": network_is_refused()}
            whole = transformers.AutoConfig.from_pretrained(name, **stored)
            config = getattr(whole, "vision_config", whole)
            family = _family(config.model_type, name)
            model = getattr(transformers, family.model).from_pretrained(name, config=config, **stored)
        except OSError as error:
            raise FileNotFoundError(
                f"backbone: expected 'auto', 'small-cnn', one of {[*FORMS, *ARCHITECTURES]}, a folder of weights or a "
                f"name on the hub, got {name!r} ({str(error).splitlines()[0]})"
            ) from None
        made = cls(model, name, _stored_preprocessing(name, size))
        made.pretrained = True
        return made

    def forward(self, images: Tensor) -> Tensor:
        """Prepared images ``[N, 3, size, size]`` to vectors ``[N, F]``."""
        more = {"interpolate_pos_encoding": True} if self.interpolate else {}
        found = self.model(pixel_values=images, **more)
        return (_pooled(found) if self.family is ANY else getattr(found, self.family.output)).flatten(1)

    def stages(self) -> list[list[nn.Parameter]]:
        """The embedding, each layer or stage, and what follows them."""
        named = list(self.model.named_parameters())
        numbers = [int(found[1]) for name, _ in named if (found := _LAYER.search(f".{name}"))]
        last = max(numbers, default=-1) + 2
        stages: list[list[nn.Parameter]] = [[] for _ in range(last + 1)]
        for name, parameter in named:
            found = _LAYER.search(f".{name}")
            early = "embed" in name.split("encoder")[0] or "pre_layrnorm" in name
            stages[int(found[1]) + 1 if found else 0 if early else last].append(parameter)
        return [stage for stage in stages if stage]

    def first_filters(self) -> Tensor:
        """The first convolution's weights."""
        first = next(module for module in self.model.modules() if isinstance(module, nn.Conv2d))
        return first.weight.detach()

    @property
    def form(self) -> TransformersForm:
        """All that the network is but its weights; no hub is needed to make it again."""
        config: Any = self.model.config
        return TransformersForm(self.name, config.to_dict(), self.preprocessing)

    def _width(self) -> int:
        """The width of the vectors, told by tensors without memory."""
        forms = {name: tensor.to("meta") for name, tensor in (*self.named_parameters(), *self.named_buffers())}
        shown, mode = torch.zeros(1, 3, self.preprocessing.size, self.preprocessing.size, device="meta"), self.training
        self.eval()
        with torch.no_grad():
            found: Tensor = torch.func.functional_call(self, forms, shown)
        self.train(mode)
        return int(found.shape[1])


@dataclass(frozen=True)
class TransformersForm(Checked, BackboneForm):
    """The form of a `TransformersBackbone`.

    Arguments:
        name: what it was made from.
        config: that of `transformers`, as a dict.
        preprocessing: what its inputs look like.
    """

    name: str
    config: Mapping[str, Any]
    preprocessing: Preprocessing

    def build(self) -> TransformersBackbone:
        """The network of this form, with random weights."""
        import transformers

        kind = str(self.config["model_type"])
        family = _family(kind, self.name)
        usual: Any = transformers.AutoConfig.for_model(kind)
        # What all configurations have is about use and training; of it some names code or kernels on the hub.
        keys = usual.to_dict().keys() - {*transformers.PretrainedConfig().to_dict(), *_NO_FORM}
        form: dict[str, Any] = {key: value for key, value in self.config.items() if key in keys}
        model = _bare_model(family, type(usual)(**form))
        return TransformersBackbone(model, self.name, self.preprocessing)


def other_families() -> tuple[str, ...]:
    """The further model types of `transformers` that see images alone, and are used as `ANY` says."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES as MODELS

    named = {*CLASSIFIERS, *(name for name in MODELS if name.startswith("dinov3"))}
    return tuple(sorted(name for name in named if name in MODELS and name not in FAMILIES and name not in _NOT_ALONE))


def _family(model_type: str, name: str) -> Family:
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    if model_type in (others := other_families()):
        return ANY
    raise ValueError(f"backbone: expected a network of {[*FAMILIES, *others]}, got {model_type!r} in {name!r}")


# Any: a configuration of transformers, and what a network of it gives, have no type that all share.
def _bare_model(family: Family, config: Any) -> nn.Module:
    import transformers

    made: nn.Module
    made = transformers.AutoModel.from_config(config) if family is ANY else getattr(transformers, family.model)(config)
    return made


def _pooled(found: Any) -> Tensor:
    """The network's own pooled vector, or the mean over its last map or its tokens."""
    own: Tensor | None = getattr(found, "pooler_output", None)
    if own is not None:
        return own
    last: Tensor = found.last_hidden_state
    return last.mean(dim=(2, 3)) if last.dim() == 4 else last.mean(dim=1)


def _stored_preprocessing(name: str, size: int | None) -> Preprocessing:
    """What ``preprocessor_config.json`` beside the weights says; its mean and std belong to the weights."""
    file = os.path.join(name, "preprocessor_config.json")
    if not os.path.isdir(name):
        from huggingface_hub import hf_hub_download

        file = hf_hub_download(name, "preprocessor_config.json", local_files_only=network_is_refused())
    if not os.path.exists(file):
        raise ValueError(f"backbone: expected preprocessor_config.json beside the weights in {name}, got none")
    described = read_json(Path(file))
    sides = described.get("crop_size") or described.get("size") or {}
    side = sides if isinstance(sides, int) else sides.get("height") or sides.get("shortest_edge")
    chosen = size or side
    if chosen is None:
        raise ValueError(f"size: expected a size in {file}, or given, got none")
    mean, std = tuple(described["image_mean"]), tuple(described["image_std"])
    return Preprocessing(int(chosen), 3, mean, std, fit="crop")
