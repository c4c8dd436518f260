"""The network that brings a person into another pose, and a critic of its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ....datasets.pictures.skeletons import Skeleton, skeleton_of
from ....runtime.arguments.kinds import Checked, Count, Within
from ..attention import GridPartitionedAttention, Partition
from ..networks.layers import bounded
from ..networks.network import ImageSide, ImageSpec
from .pose_maps import pose_maps

Carrying = Literal["copy", "self", "none"]

_SHARPNESS = 0.5
"""Factor of what queries and keys are made of, for each pixel of the side: a place looks at few pixels of the source
then, and not at whole patches."""


@dataclass(frozen=True)
class MorphForm(Checked):
    """The form of a network that changes poses.

    Arguments:
        size: side of the images, pixels.
        points: joints of a pose, which tell its layout.
        width: channels at the full side.
        most: channels of any map, at most.
        pose: channels of queries and keys, and of what is carried over; one less than a multiple of 8 is fastest.
        attention: how what the source shows comes to its place: ``copy``, by attention of the target pose to the
            source; ``none``, by the convolutions alone; ``self``, likewise, with attention of the maps to themselves.
        scales: sides at which it attends: the full one, half of it, and so on.
        partition: how the maps are cut for attention; keys up to `base` pixels get full attention.

    Raises:
        ValueError: an argument is out of its range, doublings cannot make the size, or no layout has so many joints.
    """

    size: ImageSide = 64
    points: Count = 16
    width: Count = 16
    most: Count = 64
    pose: Annotated[int, Within(3, 1024)] = 47
    attention: Carrying = "copy"
    scales: Count = 2
    partition: Partition = Partition(patches=4, base=16, cells=16)  # noqa: RUF009 : frozen

    def __post_init__(self) -> None:
        if self.scales > ImageSpec(self.size).doublings:
            raise ValueError(
                f"scales: expected at most {ImageSpec(self.size).doublings} at {self.size} pixels, got {self.scales}"
            )
        skeleton_of(self.points)

    @property
    def skeleton(self) -> Skeleton:
        """The layout of poses."""
        return skeleton_of(self.points)

    def build(self) -> Morph:
        """The network, with random weights."""
        return Morph(self)

    def critic(self) -> PoseCritic:
        """A critic of its images, with random weights."""
        return PoseCritic(self)


class Morph(nn.Module):
    """A photo and its pose, and another pose, to the photo of the person in that pose.

    A U-Net of convolutions reads the photo and both poses, from half the side on. At each of some scales its decoder is
    joined by what is carried over from the source: features and the pixels themselves. With ``copy`` each place of the
    target takes them from where the source shows the same place of the body: queries are made of the target pose, keys
    of the source's pose and photo, which begin as the same function of poses, so that it begins to copy along limbs.
    Without, each place has those at its own place of the source. The image is a mixture, pixel by pixel, of the pixels
    that were carried over and of what is drawn.

    Source: "attention copying" of N. Jetchev et al. (2021), arXiv 2107.03742; its wiring is not published, this one is
    ours.
    """

    def __init__(self, form: MorphForm) -> None:
        super().__init__()
        self.form = form
        widths = list(reversed(ImageSpec(form.size).widths(form.width, form.most)))
        pose = form.pose
        self.pose = nn.Conv2d(form.points + 3 * len(form.skeleton.limbs), pose, 1, bias=False)
        nn.init.orthogonal_(self.pose.weight)
        inputs = (3 + 2 * pose, *widths[1:-1])
        self.down = nn.ModuleList(_Pair(*pair) for pair in zip(inputs, widths[1:], strict=True))
        sides = widths[: form.scales]
        before = (3 + pose, *sides[:-1])
        self.source = nn.ModuleList(
            _Pair(*pair, mixing=not scale) for scale, pair in enumerate(zip(before, sides, strict=True))
        )
        kinds = {"copy": _Copied, "none": _InPlace, "self": _InPlace}
        self.carried = nn.ModuleList(kinds[form.attention](pose, width, form.partition, form.size) for width in sides)
        self.looking = nn.ModuleList(
            GridPartitionedAttention(width, partition=form.partition, output="add")
            for width in (sides if form.attention == "self" else ())
        )
        beside = [pose, *widths[1:-1]]
        self.up = nn.ModuleList(
            _Pair(above + skip + (pose if scale < form.scales else 0), width, mixing=not scale, level=True)
            for scale, (width, above, skip) in enumerate(zip(widths, widths[1:], beside, strict=False))
        )
        self.image = nn.Conv2d(widths[0], 4, 3, padding=1)
        # It begins half way between grey and what is carried over: a share that is whole would teach it nothing.
        for own in (self.image.weight, self.image.bias):
            nn.init.zeros_(own)  # type: ignore[arg-type]

    def forward(self, photos: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """Images, about −1…1.

        Arguments:
            photos: ``[B, 3, S, S]``, −1…1.
            source: their joints ``[B, J, 2]``, pixels; NaN where one is missing.
            target: the joints of the other pose.

        Returns:
            ``[B, 3, S, S]``; the bounds are not kept to the last digit.
        """
        of_source, of_target = self.pose_embedding(source, photos), self.pose_embedding(target, photos)
        maps, skips = torch.cat([photos, of_source, of_target], dim=1), [of_target]
        for layer in self.down:
            maps = layer(avg_pool2d(maps, 2))
            skips.append(maps)
        maps, brought = skips.pop(), self.brought(photos, of_source, of_target)
        for scale in reversed(range(len(self.up))):
            maps = interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = self.up[scale](torch.cat([maps, skips[scale], *brought[scale : scale + 1]], dim=1))
            if scale < len(self.looking):
                maps = self.looking[scale](maps)
        drawn, share = self.image(maps).split((3, 1), dim=1)
        share = share.sigmoid()
        return share * brought[0][:, :3] + (1 - share) * drawn

    def pose_embedding(self, joints: Tensor, like: Tensor) -> Tensor:
        """Maps ``[B, pose, S, S]`` of poses ``[B, J, 2]``, of the type of some photos."""
        maps = pose_maps(joints.float(), self.form.skeleton.limbs, self.form.size)
        return self.pose(maps.to(like.dtype).contiguous(memory_format=torch.channels_last))

    def brought(self, photos: Tensor, of_source: Tensor, of_target: Tensor) -> list[Tensor]:
        """What is carried over from the source at each scale, ``[B, pose, S / 2^scale, …]``: pixels first."""
        found, maps = [], torch.cat([photos, of_source], dim=1)
        for scale, (layer, carry) in enumerate(zip(self.source, self.carried, strict=True)):
            maps = layer(avg_pool2d(maps, 2) if scale else maps)
            found.append(carry(*(_smaller(each, scale) for each in (of_target, photos, of_source)), maps))
        return found

    def queries_and_keys(self, photos: Tensor, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Queries of the target pose and keys of the source at the full side, ``[B, 1, pose, S, S]`` each.

        Raises:
            ValueError: the network does not copy.
        """
        if self.form.attention != "copy":
            raise ValueError(f"attention: expected a network that copies, got one with {self.form.attention!r}")
        of_source, of_target = self.pose_embedding(source, photos), self.pose_embedding(target, photos)
        carry: _Copied = self.carried[0]  # type: ignore[assignment]
        features = self.source[0](torch.cat([photos, of_source], dim=1))
        return carry.attention.queries_and_keys(carry.queries(of_target), carry.keys(of_source, features))


class _Copied(nn.Module):
    """What each place of a target pose takes from the source: first its pixels, then features of it."""

    def __init__(self, pose: int, width: int, partition: Partition, size: int) -> None:
        super().__init__()
        self.sharpness = _SHARPNESS * size
        self.look = nn.Conv2d(width, pose, 1)
        for own in (self.look.weight, self.look.bias):
            nn.init.zeros_(own)  # type: ignore[arg-type]
        self.attention = GridPartitionedAttention(pose, pose, width + 3, partition=partition, output="plain")
        nn.init.orthogonal_(self.attention.query.weight)
        with torch.no_grad():
            self.attention.key.weight.copy_(self.attention.query.weight)
        _pixels_first(self.attention.value)

    def keys(self, pose: Tensor, features: Tensor) -> Tensor:
        """What is asked: the source's pose, and what there is to see of it; at first the pose alone."""
        return self.sharpness * (pose + self.look(features)).float()

    def queries(self, target: Tensor) -> Tensor:
        """What asks: the target's pose."""
        return self.sharpness * target.float()

    def forward(self, target: Tensor, pixels: Tensor, pose: Tensor, features: Tensor) -> Tensor:
        keys, values = self.keys(pose, features), torch.cat([pixels, features], dim=1).float()
        # Distances of queries and keys that differ by a pixel are beyond the digits of 16-bit numbers.
        with torch.autocast(target.device.type, enabled=False):
            found: Tensor = self.attention(self.queries(target), keys, values)
        return found


class _InPlace(nn.Module):
    """The same numbers from each place's own place of the source."""

    def __init__(self, pose: int, width: int, partition: Partition, size: int) -> None:
        super().__init__()
        self.value = nn.Conv2d(width + 3, pose, 1)
        _pixels_first(self.value)

    def forward(self, target: Tensor, pixels: Tensor, pose: Tensor, features: Tensor) -> Tensor:
        found: Tensor = self.value(torch.cat([pixels, features], dim=1))
        return found


class _Pair(nn.Module):
    """Two convolutions; the first of a place alone, where it mixes many channels at the full side.

    With `level`, the channels of each place have a mean square of 1 after each of them: a decoder whose layers all grow
    together would else drive its maps out of all bounds in the first steps of a training.
    """

    def __init__(self, before: int, after: int, *, mixing: bool = False, level: bool = False) -> None:
        super().__init__()
        self.level = level
        side = 1 if mixing else 3
        self.first = nn.Conv2d(before, after, side, padding=side // 2)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight, 0.2)

    def forward(self, maps: Tensor) -> Tensor:
        for layer in (self.first, self.second):
            maps = leaky_relu(layer(maps), 0.2)
            maps = _levelled(maps) if self.level else maps
        return maps


class PoseCritic(nn.Module):
    """An image with a pose to logits of being a photo in that pose, one for each of some overlapping patches.

    Arguments:
        form: of the network whose images it sees.

    Source: patches, P. Isola et al. (2017), arXiv 1611.07004; spectral norms, T. Miyato et al. (2018), arXiv
    1802.05957.
    """

    def __init__(self, form: MorphForm) -> None:
        super().__init__()
        self.form = form
        before, layers = 3 + form.points, []
        for width in (2 * form.width, 4 * form.width):
            layers += [bounded(nn.Conv2d(before, width, 4, stride=2, padding=1), True), nn.LeakyReLU(0.2)]
            before = width
        self.layers = nn.Sequential(*layers, bounded(nn.Conv2d(before, 1, 3, padding=1), True))

    def forward(self, images: Tensor, joints: Tensor) -> Tensor:
        """Images ``[B, 3, S, S]`` and joints ``[B, J, 2]`` to logits ``[B, S / 4, S / 4]``."""
        heat = pose_maps(joints.float(), self.form.skeleton.limbs, self.form.size)[:, : self.form.points]
        logits: Tensor = self.layers(torch.cat([images, heat.to(images.dtype)], dim=1))
        return logits[:, 0]


def _pixels_first(value: nn.Conv2d) -> None:
    """Let the first three channels of what is carried be the pixels, at first."""
    with torch.no_grad():
        value.weight[:3] = torch.eye(3, value.in_channels)[:, :, None, None]
        value.bias[:3] = 0  # type: ignore[index]


def _levelled(maps: Tensor) -> Tensor:
    """Maps ``[B, C, H, W]`` over the root mean square of the channels of each place (T. Karras et al. 2018, 4.2)."""
    return maps * (maps.float().square().mean(1, keepdim=True) + 1e-8).rsqrt().to(maps.dtype)


def _smaller(maps: Tensor, scale: int) -> Tensor:
    return avg_pool2d(maps, 2**scale) if scale else maps
