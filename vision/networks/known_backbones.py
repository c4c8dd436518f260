"""What turns one image into one vector: the contract, and the table of those that are known by name."""

from __future__ import annotations

from collections.abc import Mapping

from ...runtime.plain import Plain
from .backbone import SMALL_CNN, Backbone


def build_backbone(
    name: str = SMALL_CNN,
    *,
    size: int | None = None,
    channels: int | None = None,
    widths: tuple[int, ...] = (32, 64, 128),
) -> Backbone:
    """Make a backbone by name.

    Arguments:
        name: ``"small-cnn"``; a name of `hemline.vision.networks.pretrained.ARCHITECTURES`, for that network with
            random weights; or a local folder or hub name of stored weights, for those.
        size: side of the images in pixels; by default 64 for the small network, else what the weights expect.
        channels: 3 or 1; by default 3. Other backbones than the small network take 3.
        widths: the channels of each stage of the small network, which halves the image at each.

    Returns:
        The backbone.

    Raises:
        ValueError: the name is not known, or the arguments do not fit it.
    """
    if name == SMALL_CNN:
        from .small_cnn import SmallCNN

        return SmallCNN(size=size or 64, channels=channels or 3, widths=widths)
    if channels not in (None, 3):
        raise ValueError(f"channels: expected 3 for the backbone {name!r}, got {channels}")
    from .pretrained import TransformersBackbone

    return TransformersBackbone.named(name, size=size)


def backbone_from_json(data: Mapping[str, Plain]) -> Backbone:
    """Make a backbone of the form that `Backbone.to_json` wrote, with random weights and without a network."""
    if data["kind"] == SMALL_CNN:
        from .small_cnn import SmallCNN

        return SmallCNN.from_json(data)
    if data["kind"] == "transformers":
        from .pretrained import TransformersBackbone

        return TransformersBackbone.from_json(data)
    raise ValueError(f"kind: expected 'small-cnn' or 'transformers', got {data['kind']!r}")
