from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="these backbones need the extra 'vision'")

import transformers
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.photos import Pictures
from hemline.runtime.plain import to_plain
from hemline.vision.classify.training import TrainConfig, fit
from hemline.vision.networks.backbone import Backbone
from hemline.vision.networks.known_backbones import backbone_form, build_backbone
from hemline.vision.networks.pretrained import ARCHITECTURES, FAMILIES
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork, network_form, parameter_groups

SMALL = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 28, "patch_size": 14}
TINY = {
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "convnextv2": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "dinov2": SMALL,
    "clip_vision_model": {**SMALL, "intermediate_size": 16, "projection_dim": 12},
    "siglip_vision_model": {**SMALL, "intermediate_size": 16},
}
LABELS = LabelSpace((Task("colour", ("red", "blue")),))


@pytest.fixture(params=sorted(FAMILIES))
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the weights of a tiny network of each family, and its preprocessing."""
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(request.param, **TINY[request.param])
    getattr(transformers, FAMILIES[request.param].model)(config).save_pretrained(tmp_path / "net")
    described = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "size": {"shortest_edge": 28}}
    (tmp_path / "net" / "preprocessor_config.json").write_text(json.dumps(described))
    return tmp_path / "net"


def network(backbone: Backbone) -> ProductNetwork:
    return ProductNetwork(backbone=backbone, labels=LABELS, config=NetworkConfig(hidden=0))


def test_stored_weights_run_forward_and_backward_and_come_back_without_the_folder(stored: Path) -> None:
    model = network(build_backbone(str(stored)))
    photos = torch.randint(0, 256, (3, 3, 28, 28), dtype=torch.uint8)
    article = torch.tensor([0, 0, 1])
    model(photos, article, 2)["colour"].square().sum().backward()
    # The mask token is for training by masking alone, and nothing masks here.
    unused = {name for name, p in model.named_parameters() if p.grad is None and "mask_token" not in name}
    assert not unused
    model.eval()
    described = json.loads(json.dumps(to_plain(model.form)))
    for file in stored.iterdir():
        file.unlink()
    again = network_form(described).build()
    again.load_state_dict(model.state_dict())
    assert torch.equal(model(photos, article, 2)["colour"], again.eval()(photos, article, 2)["colour"])


def test_the_preprocessing_is_that_of_the_weights(stored: Path) -> None:
    backbone = build_backbone(str(stored))
    assert backbone.preprocessing.mean == (0.1, 0.2, 0.3)
    assert backbone.preprocessing.size == 28
    assert build_backbone(str(stored), size=56).preprocessing.size == 56
    assert backbone_form(to_plain(backbone.form)).build().preprocessing == backbone.preprocessing
    (stored / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"preprocessor_config\.json beside the weights"):
        build_backbone(str(stored))


def test_stages_hold_each_parameter_once_from_the_pixels_to_the_vector(stored: Path) -> None:
    backbone = build_backbone(str(stored))
    stages = backbone.stages()
    inside = [id(p) for stage in stages for p in stage]
    assert sorted(inside) == sorted(id(p) for p in backbone.parameters())
    first = next(module for module in backbone.modules() if isinstance(module, torch.nn.Conv2d))
    assert id(first.weight) in {id(p) for p in stages[0]}
    assert len(stages) >= 3
    rates = {id(p): g["lr"] for g in parameter_groups(network(backbone), 1.0, layer_decay=0.5) for p in g["params"]}
    assert rates[id(first.weight)] == pytest.approx(0.5 ** len(stages))
    assert backbone.first_filters().shape[1] == 3


def test_a_frozen_network_of_transformers_keeps_its_batch_statistics(tmp_path: Path) -> None:
    config = transformers.ResNetConfig(**TINY["resnet"])
    transformers.ResNetModel(config).save_pretrained(tmp_path)
    described = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": 32}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(described))
    model = network(build_backbone(str(tmp_path))).freeze().train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    photos = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    model(photos, torch.arange(3), 3)["colour"].sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())


def test_stored_weights_are_trained_in_training_mode(tmp_path: Path) -> None:
    config = transformers.ResNetConfig(**TINY["resnet"])
    transformers.ResNetModel(config).save_pretrained(tmp_path)
    described = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": 32}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(described))
    model = network(build_backbone(str(tmp_path)))
    before = {name: value.clone() for name, value in model.backbone.named_buffers() if name.endswith("mean")}
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    pictures = Pictures(pixels, np.arange(4), tuple("abcd"), tuple("abcd"))
    codes = {"colour": np.array([0, 1, 0, 1])}
    training = TrainConfig(epochs=1, device="cpu", augment=None)
    fit(model, training, pictures, codes, train=np.arange(3), validation=np.array([3]))
    after = dict(model.backbone.named_buffers())
    assert before
    assert not any(torch.equal(value, after[name]) for name, value in before.items())
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("name", "millions", "features"),
    [
        ("resnet-50", 23.5, 2048),
        ("convnextv2-tiny", 27.9, 768),
        ("dinov2-small", 21.6, 384),
        ("clip-vit-b32", 87.8, 512),
        ("siglip-base", 92.9, 768),
    ],
)
def test_named_architectures_have_their_published_size(name: str, millions: float, features: int) -> None:
    with torch.device("meta"):
        backbone = build_backbone(name)
    assert sum(p.numel() for p in backbone.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
    assert backbone.features == features
    assert set(ARCHITECTURES) == {"resnet-50", "convnextv2-tiny", "dinov2-small", "clip-vit-b32", "siglip-base"}


def test_an_unknown_backbone_is_refused_with_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    known = r"expected 'auto', 'small-cnn', one of \['efficientnet-lite0', 'resnet-50'.*got './nothing'"
    with pytest.raises(FileNotFoundError, match=known):
        build_backbone("./nothing")
    config = transformers.ViTConfig(**SMALL, intermediate_size=16)
    transformers.ViTModel(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="got 'vit' in"):
        build_backbone(str(tmp_path))
