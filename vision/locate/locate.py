"""Train a locator on photos with boxes, keep it in a folder, and cut photos to what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from ...datasets.pictures.photos import Quarantined, read_photo, resize_photo
from ...runtime.arguments.kinds import checked
from ...runtime.arguments.naming import naming
from ...runtime.digest import sha256_of
from ...runtime.plain import PlainObject
from ...runtime.reading.places import without_network
from ...runtime.reading.room import require_room
from ...runtime.reading.weights import network_with_tensors
from ...runtime.run_folder import RunFolder
from ..embed.encoder import ArticleEncoder
from ..networks.backbone import AUTO, Backbone
from ..networks.known_backbones import chosen_backbone
from .boxes import from_square, mirrored, on_square
from .locator import SCALES, LocatorHead, location_maps
from .training import LocateConfig, fit_locator

WEIGHTS, LOCATOR = "locator.safetensors", "locator.json"

_SIDE = 448
"""Pixels of the side to which photos are padded before they are seen at each scale."""

_MOST_CHANNELS = 512

_DEPTHS = (11, 16)
"""Depths of EfficientNet-Lite: maps of a 16th and of a 32nd of the photo's side."""


@dataclass(frozen=True)
class Locator:
    """A network and a head that says where on a photo the article is.

    Arguments:
        backbone: the network, in evaluation mode.
        head: what was trained over its maps.
        name: of the backbone.
        digest: the name of the backbone with a digest of its weights.
        depths: the numbers of the maps that the head reads.
    """

    backbone: Backbone
    head: LocatorHead
    name: str
    digest: str
    depths: tuple[int, ...] = _DEPTHS

    def boxes(self, photos: Sequence[Image.Image]) -> np.ndarray:
        """The box of the article on RGB photos, shares of their sides, ``[n, 4]``: left, upper, right, lower.

        The mean of what is said at each scale, of the photo and of its mirror image.
        """
        pixels = _padded(photos)
        found = []
        with torch.inference_mode():
            for shown, turn in ((pixels, False), (pixels.flip(-1), True)):
                for size in SCALES:
                    told = self.head.located(location_maps(self.backbone, shown, size, self.depths)).numpy()
                    found.append(mirrored(told) if turn else told)
        sides = np.array([photo.size for photo in photos])
        return from_square(np.mean(found, axis=0), sides[:, 0], sides[:, 1])

    def cut(self, photo: Image.Image) -> Image.Image:
        """An RGB photo cut to the article."""
        left, top, right, bottom = self.boxes([photo])[0] * np.array(photo.size * 2)
        across = int(left), min(photo.width, max(int(np.ceil(right)), int(left) + 1))
        down = int(top), min(photo.height, max(int(np.ceil(bottom)), int(top) + 1))
        return photo.crop((across[0], down[0], across[1], down[1]))

    @property
    def name_of_weights(self) -> str:
        """What it is, with the first digits of the digest of its head."""
        weights = sorted(self.head.state_dict().items())
        return f"locator@{sha256_of(*(part for name, value in weights for part in (name, value.numpy())))[:12]}"

    def save(self, folder: RunFolder) -> None:
        """Write the weights of the head as safetensors and all else as JSON."""
        folder.write_tensors(WEIGHTS, self.head.state_dict())
        described: PlainObject = {
            "backbone": self.name,
            "encoder": self.digest,
            "channels": len(self.head.mean),
            "depths": list(self.depths),
            "width": self.head.width,
        }
        folder.write_json(LOCATOR, described)

    @classmethod
    def load(cls, folder: RunFolder) -> Locator:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no locator in the folder.
            ValueError: the weights are not those of the described head, or of the backbone that it was trained over.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(LOCATOR)
            channels, width = int(told["channels"]), int(told["width"])
            head = network_with_tensors(
                lambda: LocatorHead(channels, width), folder.read_tensors(WEIGHTS), folder.path(WEIGHTS)
            )
            with without_network(f"{folder.address} remembers its backbone; open that once yourself"):
                backbone, digest = _backbone(str(told["backbone"]))
            if digest != told["encoder"]:
                raise ValueError(f"checkpoint: expected a locator over {digest}, got one over {told['encoder']}")
            depths = tuple(int(depth) for depth in told["depths"])
            return cls(backbone, head.eval(), str(told["backbone"]), digest, depths)


@checked
def train_locator(
    photos: Sequence[str],
    boxes: np.ndarray,
    checkpoint: str,
    *,
    backbone: str = AUTO,
    training: LocateConfig | None = None,
) -> tuple[Locator, tuple[Quarantined, ...]]:
    """Learn where articles are from photos with boxes, over the maps of a pretrained network that stays as it is.

    Arguments:
        photos: paths or addresses of n photos.
        boxes: ``[n, 4]``, left, upper, right and lower side of the article on each, in pixels.
        checkpoint: folder or fsspec address of the run.
        backbone: a form of EfficientNet-Lite; by default the one that is installed.
        training: how to train.

    Returns:
        The locator, and the photos that could not be used.

    Raises:
        ValueError: a box is not on its photo, the backbone has no maps, no photo can be opened, or a locator is there.
    """
    if len(boxes) != len(photos) or np.shape(boxes)[1:] != (4,):
        raise ValueError(f"boxes: expected {[len(photos), 4]} numbers, got {list(np.shape(boxes))}")
    folder = RunFolder(checkpoint)
    with folder.alone("checkpoint"):
        if folder.has(LOCATOR):
            raise ValueError(f"checkpoint: expected a folder without a locator, got one in {checkpoint}")
        name = chosen_backbone(backbone)
        network, digest = _backbone(name)
        opened, kept, bad = [], [], []
        for number, address in enumerate(photos):
            try:
                photo = read_photo(address)
            except (OSError, ValueError) as error:
                bad.append(Quarantined("", address, str(error)))
                continue
            opened.append(photo)
            kept.append(_share(boxes[number], photo, address))
        if not opened:
            raise ValueError(f"photos: expected photos that can be opened, got none of {len(photos)}")
        sides = np.array([photo.size for photo in opened])
        shares = on_square(np.array(kept), sides[:, 0], sides[:, 1])
        pixels = _padded(opened)
        places = sum((size // 16) ** 2 for size in SCALES)
        require_room(8 * _MOST_CHANNELS * places * len(opened), "photos: expected fewer", f"{len(opened)}")
        both = torch.cat([pixels, pixels.flip(-1)])
        maps = [location_maps(network, both, size, _DEPTHS) for size in SCALES]
        wanted = torch.from_numpy(np.concatenate([shares, mirrored(shares)])).float()
        locator = Locator(network, fit_locator(maps, wanted, training or LocateConfig()), name, digest)
        locator.save(folder)
    return locator, tuple(bad)


def _backbone(name: str) -> tuple[Backbone, str]:
    encoder = ArticleEncoder.of_backbone(name)
    backbone = encoder.network.backbone.for_inference().eval()
    if len(backbone.maps(torch.zeros(1, 3, 64, 64))) <= max(_DEPTHS):
        raise ValueError(f"backbone: expected a form of EfficientNet-Lite, whose maps are read, got {name!r}")
    return backbone, encoder.name


def _padded(photos: Sequence[Image.Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack([resize_photo(photo, _SIDE) for photo in photos]))


def _share(box: np.ndarray, photo: Image.Image, address: str) -> np.ndarray:
    left, top, right, bottom = (float(side) for side in box)
    if not (0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height):
        raise ValueError(
            f"boxes: expected a box on the {photo.width} × {photo.height} pixels of {address}, got {list(box)}"
        )
    share: np.ndarray = np.array([left, top, right, bottom]) / np.array(photo.size * 2)
    return share
