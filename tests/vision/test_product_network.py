from __future__ import annotations

import numpy as np
import pytest
import torch
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.runtime.plain import to_plain
from hemline.vision.classify.parameter_groups import parameter_groups
from hemline.vision.classify.task_loss import TaskLoss, class_weights
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.preprocessing import Prepare, Preprocessing
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork, network_form
from hemline.vision.networks.set_pooling import SET_POOLINGS, pad_sets
from hemline.vision.networks.small_cnn import SmallCNN
from hemline.vision.networks.spatial_transformer import SpatialTransformer

LABELS = LabelSpace((Task("colour", ("red", "blue")), Task("tags.of it", ("a", "b", "c"), facets=True)))
ARTICLE = torch.tensor([0, 0, 0, 2])


def network(**options) -> ProductNetwork:
    torch.manual_seed(0)
    config = NetworkConfig(hidden=16, **options)
    return ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=LABELS, config=config)


def pixels(count: int = 4, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("pooling", ["max", "mean", "attention", "logits"])
def test_every_parameter_gets_a_gradient(pooling: str) -> None:
    model = network(pooling=pooling, spatial_transformer=True)
    logits = model(pixels(), ARTICLE, 3)
    sum(values.square().sum() for values in logits.values()).backward()
    # The last layer of the warp starts at zero, so what lies before it learns from the second step on.
    waiting = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    assert all(name.startswith("warp.look") for name in waiting)


@pytest.mark.parametrize("pooling", ["max", "mean", "attention", "logits"])
def test_the_answer_does_not_depend_on_the_order_of_photos_nor_on_other_articles(pooling: str) -> None:
    model = network(pooling=pooling).eval()
    photos = pixels()
    answer = model(photos, ARTICLE, 3)["colour"]
    shuffled = model(photos[[2, 0, 1, 3]], ARTICLE, 3)["colour"]
    alone = model(photos[:3], ARTICLE[:3], 1)["colour"]
    assert torch.allclose(answer, shuffled, atol=1e-5)
    assert torch.allclose(answer[:1], alone, atol=1e-5)


@pytest.mark.parametrize("pooling", ["max", "mean", "attention", "logits"])
def test_an_article_without_a_photo_has_a_zero_vector(pooling: str) -> None:
    vectors = network(pooling=pooling).eval().embed(pixels(), ARTICLE, 3)
    assert vectors[1].abs().sum() == 0
    assert vectors[0].abs().sum() > 0


def test_one_photo_makes_all_poolings_the_same_kind_of_network() -> None:
    padded, mask = pad_sets(torch.randn(3, 5), torch.arange(3), 3)
    pooled = [make(5)(padded, mask) for make in SET_POOLINGS.values()]
    assert all(torch.allclose(values, padded[:, 0]) for values in pooled)


def test_pooling_ignores_what_the_mask_hides() -> None:
    padded, mask = pad_sets(torch.randn(4, 5), ARTICLE, 3)
    spoilt = padded.masked_fill(~mask[..., None], 1e6)
    for make in SET_POOLINGS.values():
        pool = make(5)
        assert torch.equal(pool(padded, mask), pool(spoilt, mask))


def test_a_frozen_backbone_keeps_its_weights_and_its_batch_statistics() -> None:
    model = network().freeze().train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(pixels(), ARTICLE, 3)["colour"].sum().backward()
        optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())
    model.frozen = False
    model.train()(pixels(), ARTICLE, 3)
    assert any(not torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())


def test_learning_rates_fall_from_the_heads_to_the_first_layers_and_name_each_parameter_once() -> None:
    model = network(pooling="attention", spatial_transformer=True)
    groups = parameter_groups(model, 1.0, layer_decay=0.5, weight_decay=0.1)
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert sorted(rate) == sorted(id(p) for p in model.parameters())
    assert rate[id(model.heads[0].weight)] == 1.0
    assert [rate[id(stage[0])] for stage in model.backbone.stages()] == [0.25, 0.5]
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert (decay[id(model.heads[0].weight)], decay[id(model.heads[0].bias)]) == (0.1, 0.0)
    assert len(parameter_groups(model.freeze(), 1.0)) == 2


@pytest.mark.parametrize("options", [{}, {"pooling": "attention", "spatial_transformer": True}, {"pooling": "logits"}])
def test_a_network_rebuilt_from_its_description_and_weights_answers_the_same(options: dict) -> None:
    model = network(**options).eval()
    again = network_form(to_plain(model.form)).build()
    again.load_state_dict(model.state_dict())
    again.eval()
    for task, values in model(pixels(), ARTICLE, 3).items():
        assert torch.equal(values, again(pixels(), ARTICLE, 3)[task])


def test_an_untrained_spatial_transformer_changes_nothing_and_a_zoom_crops() -> None:
    images = torch.rand(2, 3, 16, 16)
    warp = SpatialTransformer(3)
    assert torch.allclose(warp(images), images, atol=1e-5)
    with torch.no_grad():
        warp.affine.bias.copy_(torch.tensor([0.5, 0, 0, 0, 0.5, 0]))
    assert torch.allclose(warp(images)[..., 8, 8], images[..., 8, 8], atol=0.5)
    assert not torch.allclose(warp(images), images, atol=0.1)


def test_preprocessing_brings_other_sizes_and_channels_to_those_of_the_network() -> None:
    grey = torch.full((2, 1, 28, 28), 51, dtype=torch.uint8)
    images = Prepare(Preprocessing(32, 3, (0.2,) * 3, (0.5,) * 3))(grey)
    assert images.shape == (2, 3, 32, 32)
    assert images.abs().max() < 1e-6
    assert Prepare(Preprocessing(8, 1, (0.0,), (1.0,)))(pixels()).shape == (4, 1, 8, 8)


def test_weights_of_rare_classes_are_larger_and_one_on_average() -> None:
    counts = np.array([100, 10, 1, 0])
    inverse, effective = class_weights(counts, "inverse"), class_weights(counts, "effective")
    assert np.allclose(inverse[:3] * counts[:3], inverse[0] * 100)
    assert np.allclose([inverse[:3].mean(), effective[:3].mean()], 1)
    assert inverse[3] == 1
    assert np.allclose(class_weights(counts, "effective", beta=0.0)[:3], 1)
    # Cui et al. eq. 2 by hand: (1 - 0.9^2) / (1 - 0.9) = 1.9 effective examples of two.
    assert np.allclose(np.divide(*class_weights(np.array([1, 2]), "effective", beta=0.9)), 1.9)


def test_missing_and_unseen_labels_do_not_count_in_the_loss() -> None:
    codes = {"colour": np.array([0, 1, -1, -2]), "tags.of it": np.full((4, 3), np.nan, np.float32)}
    loss = TaskLoss(LABELS, codes)
    logits = {"colour": torch.randn(4, 2, requires_grad=True), "tags.of it": torch.randn(4, 3, requires_grad=True)}
    value = loss(logits, {name: torch.from_numpy(code) for name, code in codes.items()})
    assert torch.allclose(value, torch.nn.functional.cross_entropy(logits["colour"][:2], torch.tensor([0, 1])))
    value.backward()
    assert logits["colour"].grad is not None
    assert logits["colour"].grad[2:].abs().sum() == 0


def test_a_batch_that_nobody_answered_has_loss_zero_and_a_gradient() -> None:
    codes = {"colour": np.array([-1, -1]), "tags.of it": np.full((2, 3), np.nan, np.float32)}
    logits = {"colour": torch.randn(2, 2, requires_grad=True), "tags.of it": torch.randn(2, 3, requires_grad=True)}
    value = TaskLoss(LABELS, codes)(logits, {name: torch.from_numpy(code) for name, code in codes.items()})
    value.backward()
    assert value.item() == 0


def test_bad_options_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"pooling: expected one of .*'sum'"):
        NetworkConfig(pooling="sum")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"widths: .*28 pixels"):
        SmallCNN(28, widths=(1, 1, 1, 1, 1))
    with pytest.raises(ValueError, match=r"scheme: .*'log'"):
        class_weights(np.array([1]), "log")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mean, std: expected 1 numbers"):
        Preprocessing(8, 1)
    with pytest.raises(ValueError, match="channels: expected 3 for the backbone 'resnet-50', got 1"):
        build_backbone("resnet-50", channels=1)
