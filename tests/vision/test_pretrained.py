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
from hemline.vision.classify.options import TrainConfig
from hemline.vision.classify.parameter_groups import parameter_groups
from hemline.vision.classify.training import fit
from hemline.vision.networks.backbone import Backbone
from hemline.vision.networks.known_backbones import backbone_form, build_backbone
from hemline.vision.networks.pretrained import ARCHITECTURES, FAMILIES
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork, network_form

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


ANY = {
    "vit": {**SMALL, "intermediate_size": 16},
    "swin": {
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [1, 2],
        "image_size": 32,
        "patch_size": 4,
        "window_size": 4,
    },
    "mobilenet_v2": {"depth_multiplier": 0.1, "image_size": 32},
    "regnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "groups_width": 4},
    "dinov3_vit": {**SMALL, "intermediate_size": 16},
    "segformer": {
        "num_encoder_blocks": 2,
        "depths": [1, 1],
        "sr_ratios": [2, 1],
        "hidden_sizes": [8, 16],
        "patch_sizes": [7, 3],
        "strides": [4, 2],
        "num_attention_heads": [1, 2],
        "mlp_ratios": [2, 2],
    },
}


@pytest.mark.parametrize("kind", sorted(ANY))
def test_any_vision_network_of_transformers_is_a_backbone(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    side = ANY[kind].get("image_size", 32)
    config = transformers.AutoConfig.for_model(kind, **ANY[kind])
    plain = transformers.AutoModel.from_config(config).eval()
    plain.save_pretrained(tmp_path / "net")
    described = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "size": {"shortest_edge": side}}
    (tmp_path / "net" / "preprocessor_config.json").write_text(json.dumps(described))
    backbone = build_backbone(str(tmp_path / "net")).eval()
    images = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        found, raw = backbone(images), plain(pixel_values=images)
    last = raw.last_hidden_state
    pooled = getattr(raw, "pooler_output", None)
    wanted = pooled if pooled is not None else last.mean(dim=(2, 3) if last.dim() == 4 else 1)
    assert torch.equal(found, wanted.flatten(1))
    assert found.shape == (2, backbone.features)
    again = backbone_form(json.loads(json.dumps(to_plain(backbone.form)))).build()
    again.load_state_dict(backbone.state_dict())
    with torch.inference_mode():
        assert torch.equal(again.eval()(images), found)


def test_a_network_that_reads_words_too_is_refused(tmp_path: Path) -> None:
    transformers.AutoConfig.for_model("perceiver").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"backbone: expected a network of .*'vit'.* got 'perceiver'"):
        build_backbone(str(tmp_path))


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
    known = r"expected 'auto', 'small-cnn', one of \['efficientnet-lite0', .*'resnet-50'.*got './nothing'"
    with pytest.raises(FileNotFoundError, match=known):
        build_backbone("./nothing")
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="got 'bert' in"):
        build_backbone(str(tmp_path))
