"""The classes of this room that files may name: the forms of backbones, generators and critics."""

from __future__ import annotations

from ..runtime.names import Names

PLACES = {
    "AdversarialConfig": "hemline.vision.generate.adversarial.training:AdversarialConfig",
    "DCGANCriticForm": "hemline.vision.generate.networks.plain:DCGANCriticForm",
    "DCGANGeneratorForm": "hemline.vision.generate.networks.plain:DCGANGeneratorForm",
    "DenseCriticForm": "hemline.vision.generate.networks.plain:DenseCriticForm",
    "DenseGeneratorForm": "hemline.vision.generate.networks.plain:DenseGeneratorForm",
    "EfficientNetLiteForm": "hemline.vision.networks.efficientnet_lite:EfficientNetLiteForm",
    "Recipe": "hemline.vision.generate.recipes:Recipe",
    "ResidualCriticForm": "hemline.vision.generate.networks.residual:ResidualCriticForm",
    "ResidualGeneratorForm": "hemline.vision.generate.networks.residual:ResidualGeneratorForm",
    "SmallCNNForm": "hemline.vision.networks.small_cnn:SmallCNNForm",
    "StyleCriticForm": "hemline.vision.generate.networks.style:StyleCriticForm",
    "StyleGAN2GeneratorForm": "hemline.vision.generate.networks.style:StyleGAN2GeneratorForm",
    "StyleGANGeneratorForm": "hemline.vision.generate.networks.style:StyleGANGeneratorForm",
    "TransformersForm": "hemline.vision.networks.pretrained:TransformersForm",
}

NAMES = Names(PLACES)
