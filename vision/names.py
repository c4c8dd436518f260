"""The classes of this room that files may name: the forms of backbones."""

from __future__ import annotations

from ..runtime.names import Names

PLACES = {
    "EfficientNetLiteForm": "hemline.vision.networks.efficientnet_lite:EfficientNetLiteForm",
    "SmallCNNForm": "hemline.vision.networks.small_cnn:SmallCNNForm",
    "TransformersForm": "hemline.vision.networks.pretrained:TransformersForm",
}

NAMES = Names(PLACES)
