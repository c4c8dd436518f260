"""What a network sees of an article, the space in which near means alike, and what triplets add."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
import torch
from hemline.datasets.pictures.source import open_source
from hemline.vision import build_index, find_similar, train_similarity
from hemline.vision.networks.small_cnn import SmallCNN
from hemline.vision.search.index import PhotoIndex
from hemline.vision.similarity.features import photo_features
from hemline.vision.similarity.look_space import LookSpace
from hemline.vision.similarity.retrieval import chance_recall, first_right, gain_interval
from hemline.vision.similarity.triplets import TripletConfig, fit_projection, part_scale

from .conftest import write_shop


class Maps(SmallCNN):
    """A network of known maps: the photo itself, and its square."""

    grey_maps = (0,)
    colour_maps = (0, 1)

    def maps(self, images, *, last=None):
        return [images, images**2][: None if last is None else last + 1]


def test_features_are_means_and_spreads_over_the_article_alone():
    pixels = torch.full((1, 3, 64, 64), 255, dtype=torch.uint8)
    pixels[:, 0, 16:48, 16:48] = 0
    pixels[:, 0, 16:48, 16:32] = 51
    features, widths = photo_features(Maps(64, widths=(4,)).eval(), pixels)
    assert widths == (3, 3, 3, 3, 3)
    values = np.array([51, 0]) / 255
    red = (values - 0.5) / 0.25  # mean and spread of the inputs of the small network
    grey = (0.299 * values + 0.587 + 0.114 - 0.5) / 0.25
    blocks = features[0].split(3)
    np.testing.assert_allclose(blocks[0], [grey.mean()] * 3, rtol=1e-5)
    np.testing.assert_allclose(blocks[1], [red.mean(), 2, 2], rtol=1e-5)
    np.testing.assert_allclose(blocks[2], [red.std(), 0, 0], atol=1e-6)
    np.testing.assert_allclose(blocks[3], [(red**2).mean(), 4, 4], rtol=1e-5)
    np.testing.assert_allclose(blocks[4], [(red**2).std(), 0, 0], atol=1e-6)


@pytest.mark.parametrize("n", [12, 60])
def test_the_space_is_half_whitened_principal_axes_of_blocks_of_length_one(n):
    """Against numpy in double precision, with more features than photos and the other way round."""
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, 20)) * np.geomspace(1, 30, 20) + 3
    widths = (5, 15)
    space = LookSpace.fit(torch.from_numpy(features).float(), widths, axes=6)
    found = space.project(torch.from_numpy(features).float()).numpy()
    centred = features - features.mean(axis=0)
    blocks = [block / np.linalg.norm(block, axis=1, keepdims=True) for block in np.split(centred, [5], axis=1)]
    joined = np.concatenate(blocks, axis=1)
    joined -= joined.mean(axis=0)
    left, size, _ = np.linalg.svd(joined, full_matrices=False)
    wanted = left[:, :6] * size[:6] ** 0.5
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(found @ found.T, wanted @ wanted.T, atol=2e-5)


def test_a_space_is_stored_and_read_again():
    features = torch.randn(9, 7, generator=torch.Generator().manual_seed(0))
    space = LookSpace.fit(features, (3, 4), axes=4)
    again = LookSpace.of_tensors(space.tensors())
    assert torch.equal(space.project(features), again.project(features))
    with pytest.raises(ValueError, match="features: expected 7 a photo, got 6"):
        space.project(features[:, :6])
    with pytest.raises(ValueError, match="at least two that differ, got 3"):
        LookSpace.fit(features[:1].expand(3, -1), (3, 4))


def planted(seed: int = 0, groups: int = 30, photos: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Photos whose group is told by three numbers of sixteen, in which the others are louder."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), photos)
    told = rng.normal(size=(groups, 3))[group] + 0.1 * rng.normal(size=(len(group), 3))
    vectors = np.concatenate([told, 1.5 * rng.normal(size=(len(group), 13))], axis=1)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), group


def hits(vectors: np.ndarray, group: np.ndarray) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return float((first_right(unit @ unit.T, group, group, np.eye(len(group), dtype=bool)) < 1).mean())


def test_triplets_find_what_tells_groups_that_were_not_seen():
    vectors, group = planted()
    learnt = fit_projection(vectors, group, TripletConfig(steps=200, lr=1e-2)).numpy()
    others, theirs = planted(seed=1)
    assert hits(others @ learnt, theirs) > hits(others, theirs) + 0.2
    assert not np.allclose(learnt, learnt.T)  # a full matrix was learnt, not a scale of the columns
    again = fit_projection(vectors, group, TripletConfig(steps=200, lr=1e-2)).numpy()
    assert np.array_equal(learnt, again)


def test_the_projection_starts_at_the_identity_and_a_margin_that_is_met_teaches_nothing():
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 1]]
    group = np.array([0, 0, 1, 1])
    assert np.array_equal(fit_projection(vectors, group, TripletConfig(margin=0.5, steps=5)), np.eye(4))


def test_curated_triplets_pull_and_push_in_the_right_direction():
    vectors, _ = planted()
    triplets = np.array([[0, 50, 1]])
    before = vectors[0] @ vectors[50] - vectors[0] @ vectors[1]
    learnt = fit_projection(
        vectors, np.zeros(len(vectors), int), TripletConfig(steps=30, lr=1e-2, margin=1.0), triplets=triplets
    )
    moved = torch.nn.functional.normalize(torch.from_numpy(vectors) @ learnt, dim=1).numpy()
    assert moved[0] @ moved[50] - moved[0] @ moved[1] > before + 0.2


@pytest.mark.parametrize("group", [[0, 1, 2], [0, 0, 0]])
def test_groups_from_which_nothing_can_be_learnt_are_refused(group):
    with pytest.raises(ValueError, match="photos: expected groups of at least two photos and other groups"):
        fit_projection(np.eye(3, dtype=np.float32), np.array(group), TripletConfig(steps=1))


def test_the_scale_of_parts_makes_products_weighted_means():
    scale = part_scale({"shape": 2, "colours": 3}, {"shape": 1.0, "colours": 1.5}).numpy()
    first, second = np.array([0.6, 0.8, 1, 0, 0]), np.array([1.0, 0, 0, 0.6, 0.8])
    assert (first * scale) @ (second * scale) == pytest.approx(0.6 / 2.5, abs=1e-6)


# -- how well it finds -----------------------------------------------------------------------------------------------


def test_recall_by_hand():
    similar = np.array([[1.0, 0.2, 0.9, 0.3], [0.2, 1.0, 0.1, 0.4]])
    query, gallery = np.array([0, 1]), np.array([0, 1, 1, 0])
    same = np.array([[True, False, False, False], [False, True, False, False]])
    assert first_right(similar, query, gallery, same).tolist() == [1, 2]
    assert first_right(similar, query, gallery).tolist() == [0, 0]
    with pytest.raises(ValueError, match="an answer to each query, got none to query 1"):
        first_right(similar, np.array([0, 7]), gallery)


def test_chance_is_that_of_drawn_orders():
    assert chance_recall(np.array([2]), np.array([8]), 3) == pytest.approx(1 - comb(8, 3) / comb(10, 3))
    rng = np.random.default_rng(0)
    drawn = [min(rng.permutation(10)[:2]) < 3 for _ in range(4000)]
    assert chance_recall(np.array([2]), np.array([8]), 3) == pytest.approx(np.mean(drawn), abs=0.03)


def test_the_interval_draws_garments_and_not_queries():
    cluster = np.repeat(np.arange(8), 50)
    better = np.repeat([1, 1, 1, 1, 1, 0, 0, 0], 50)
    gain, low, high = gain_interval(better, np.zeros(400, int), cluster)
    assert gain == pytest.approx(5 / 8)
    assert low < 0.4
    assert high > 0.85
    _, single_low, single_high = gain_interval(better, np.zeros(400, int), np.arange(400))
    assert high - low > 3 * (single_high - single_low)


# -- an index that was learnt ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    place = tmp_path_factory.mktemp("similarity")
    data = write_shop(place / "shop", articles=20, photos=2)
    made, _ = build_index(open_source(str(data)), str(place / "it"), made_by={"backbone": "small-cnn"}, axes=8)
    return made


def test_a_learnt_index_reads_photos_by_itself(index, tmp_path):
    learnt = train_similarity(index, str(tmp_path / "it"), by="colour", training=TripletConfig(steps=40, lr=3e-3))
    again = PhotoIndex.open(str(tmp_path / "it"))
    assert list(again.vectors.parts) == ["learnt"]
    found = find_similar(again, [index.vectors.photos[0]], k=3)
    assert found[0].score == pytest.approx(1.0, abs=1e-4)
    assert [hit.item_id for hit in found] == [
        hit.item_id for hit in find_similar(learnt, [index.vectors.photos[0]], k=3)
    ]
    with pytest.raises(ValueError, match="index: expected one whose similarity was not learnt yet"):
        train_similarity(again, str(tmp_path / "other"))


@pytest.mark.parametrize("learn", ["shape", "both"])
def test_no_step_at_all_would_be_the_similarity_of_before(index, tmp_path, learn):
    learnt = train_similarity(index, str(tmp_path / "it"), learn=learn, training=TripletConfig(steps=1, lr=1e-9))
    item = index.item_ids[3]
    before = {hit.item_id: hit.score for hit in find_similar(index, [item], k=20)}
    after = {hit.item_id: hit.score for hit in find_similar(learnt, [item], k=20)}
    assert before.keys() == after.keys()
    np.testing.assert_allclose([after[name] for name in before], list(before.values()), atol=1e-5)


def test_a_shape_that_is_learnt_leaves_the_colours_their_weight(index, tmp_path):
    options = {"by": "shape", "learn": "shape", "training": TripletConfig(steps=40, lr=3e-3)}
    again = PhotoIndex.open(train_similarity(index, str(tmp_path / "it"), **options).folder.address)
    shape, vectors = again.vectors.parts["shape"], again.vectors.vectors
    assert again.vectors.parts == index.vectors.parts
    assert again.vectors.encoder != index.vectors.encoder
    assert np.array_equal(vectors[:, shape:], index.vectors.vectors[:, shape:])
    assert np.abs(vectors[:, :shape] - index.vectors.vectors[:, :shape]).max() > 0.01
    alone = PhotoIndex.open(train_similarity(index, str(tmp_path / "alone")).folder.address)
    assert alone.vectors.parts == index.vectors.parts
    np.testing.assert_allclose(np.linalg.norm(vectors[:, :shape], axis=1), 1, rtol=1e-5)
    photo, colours = index.vectors.photos[0], {"shape": 0.0, "colours": 1.0}
    assert find_similar(again, [photo], k=1)[0].score == pytest.approx(1.0, abs=1e-4)
    of_colours = [[hit.item_id for hit in find_similar(each, [photo], weights=colours)] for each in (index, again)]
    assert of_colours[0] == of_colours[1]


def test_a_learnt_shape_brings_photos_of_one_article_together(tmp_path):
    """Articles seen in the dark and in the light: what is learnt of some holds for others."""
    rng = np.random.default_rng(0)
    own = rng.normal(size=(40, 8)).repeat(2, axis=0)
    light = np.tile([[3.0], [-3.0]], (40, 1)) * np.eye(16)[0]
    vectors = np.concatenate([own, rng.normal(size=(80, 8))], axis=1) * 0.5 + light
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    group = np.arange(80) // 2
    matrix = fit_projection(unit[:60], group[:60], TripletConfig(steps=200, lr=1e-2))
    ranks = []
    for seen in (unit[60:], (torch.from_numpy(unit[60:]) @ matrix).numpy()):
        seen = seen / np.linalg.norm(seen, axis=1, keepdims=True)
        ranks.append(first_right(seen @ seen.T, group[60:], group[60:], np.eye(20, dtype=bool)).mean())
    assert ranks[1] < 0.5 * ranks[0]


def test_what_cannot_be_learnt_is_one_line(index, tmp_path):
    out = str(tmp_path / "it")
    for arguments, pattern in (
        ({"by": "smell"}, r"by: expected one of the columns \['colour', 'facets', 'shape'\], got 'smell'"),
        ({"triplets": [("i0", "i1", "none")]}, "triplets: expected articles of the index, got 'none' in triplet 1"),
        ({"out": index.folder.address}, "out: expected another folder than that of the index"),
    ):
        with pytest.raises(ValueError, match=pattern):
            train_similarity(index, **{"out": out, **arguments})


def test_curated_triplets_of_articles_change_what_is_found(index, tmp_path):
    triplets = [("i0", "i5", "i6")]
    learnt = train_similarity(
        index, str(tmp_path / "it"), triplets=triplets, training=TripletConfig(steps=60, lr=1e-2, margin=1.0)
    )
    place = {hit.item_id: number for number, hit in enumerate(find_similar(learnt, ["i0"], k=20))}
    assert place["i5"] < place["i6"]
