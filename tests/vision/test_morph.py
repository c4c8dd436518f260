"""People in other poses: maps of poses, rows that learn nothing, the loss, the network, its training and commands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.skeletons import MPII
from hemline.datasets.simulated.figure_poses import simulated_pose_pairs, write_pose_pairs
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.attention import Partition
from hemline.vision.generate.morph.comparison import garment_textures, score_morph, scores, still_rows
from hemline.vision.generate.morph.morph import TrainedMorph, train_morph
from hemline.vision.generate.morph.network import MorphForm
from hemline.vision.generate.morph.pose_maps import limb_places, pose_maps
from hemline.vision.generate.morph.terms import FixedFeatures, absolute_term, perceptual_term
from hemline.vision.generate.morph.training import MorphConfig, MorphTraining, PairBatches
from hemline.vision.generate.morph.warping import warped
from PIL import Image

FORM = MorphForm(size=16, width=4, most=8, pose=7, partition=Partition(patches=2, base=4, cells=4))
SHORT = MorphConfig(steps=4, log_steps=2, batch_size=2, device="cpu", precision="32-true")


@pytest.fixture(scope="module")
def pairs():
    return simulated_pose_pairs(6, 3, size=16, seed=1)


def given(pairs, rows):
    photos = torch.from_numpy(pairs.images[rows[:, 0]]).float() / 127.5 - 1
    source, target = (torch.from_numpy(pairs.joints[rows[:, side]]) for side in (0, 1))
    return photos, source, target


def test_places_of_limbs_by_hand():
    joints = torch.tensor([[[2.5, 0.5], [2.5, 4.5]]], dtype=torch.float64)
    along, beside, apart, length = limb_places(joints, [(0, 1)], 6)
    assert length.item() == 4
    # The middle is the pixel in row 2, column 2; down is along, and the viewer's left is beside it.
    assert along[0, 0, :, 2].tolist() == [-2, -1, 0, 1, 2, 3]
    assert beside[0, 0, 2].tolist() == [2, 1, 0, -1, -2, -3]
    assert apart[0, 0, 5].tolist() == [4 + 1, 1 + 1, 1, 1 + 1, 4 + 1, 9 + 1]
    turned, _, _, _ = limb_places(joints.flip(-1), [(0, 1)], 6)
    torch.testing.assert_close(turned, along.transpose(2, 3))


def test_a_place_of_the_body_has_the_same_values_in_every_pose():
    rng = np.random.default_rng(0)
    straight = np.array([[8.0, 20.0], [20.0, 20.0]])
    values = []
    for angle in rng.uniform(0, 2 * np.pi, 5):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([20.5, 20.5])
        place = np.array([16.0, 23.0])  # beside the limb
        joints, seen = (straight - place) @ turn.T + middle, middle
        maps = pose_maps(torch.from_numpy(joints[None]), [(0, 1)], 40)
        values.append(maps[0, :, int(seen[1]), int(seen[0])])
    for other in values[1:]:
        torch.testing.assert_close(other, values[0])
    assert values[0].abs().min() > 1e-3


def test_joints_that_are_missing_leave_maps_empty():
    torch.manual_seed(0)
    joints = torch.rand(2, 16, 2) * 16
    whole = pose_maps(joints, MPII.limbs, 16)
    assert whole.shape == (2, 16 + 3 * 15, 16, 16)
    joints[0, 0] = torch.nan  # the right ankle, the end of one limb
    some = pose_maps(joints, MPII.limbs, 16)
    assert some.isfinite().all()
    at = [0] + [16 + part * 15 + 1 for part in range(3)]
    assert (some[0, at] == 0).all()
    torch.testing.assert_close(some[1], whole[1])
    assert (pose_maps(torch.full((1, 16, 2), torch.nan), MPII.limbs, 16) == 0).all()


def test_limbs_that_do_not_move_stay_and_those_that_do_are_taken_along(pairs):
    photos, source, _ = given(pairs, pairs.pairs[:4])
    same = warped(photos, source, source, MPII)
    edges = ((photos[..., :1] + photos[..., -1:]) / 2).expand_as(photos)
    assert (torch.isclose(same, photos, atol=1e-4).all(dim=1) | torch.isclose(same, edges, atol=1e-4).all(dim=1)).all()
    assert torch.isclose(same, photos, atol=1e-4).float().mean() > 0.8
    moved = warped(photos, source, source + torch.tensor([3.0, 0.0]), MPII)
    inside = ~torch.isclose(same, edges, atol=1e-4).all(dim=1, keepdim=True)[..., :-3].expand(-1, 3, -1, -1)
    torch.testing.assert_close(moved[..., 3:][inside], photos[..., :-3][inside], atol=1e-3, rtol=0)
    source[:, 0] = torch.nan
    assert warped(photos, source, source, MPII).isfinite().all()


def test_terms_by_hand():
    ones, zeros = torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    assert float(absolute_term(ones, -ones)) == 2
    wanted = [ones, torch.full((2, 1, 2, 2), -4.0)]
    assert float(perceptual_term(wanted, wanted)) == 0
    # All of the first map is missed, and a quarter of the second.
    assert float(perceptual_term([zeros, torch.full((2, 1, 2, 2), -3.0)], wanted)) == pytest.approx((1 + 0.25) / 2)


def test_fixed_features_see_differences_and_are_not_trained():
    features = FixedFeatures.named("small-cnn")
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    perceptual_term(features.maps(images), features.maps(torch.zeros(2, 3, 16, 16))).backward()
    assert images.grad.abs().sum() > 0
    assert not any(each.requires_grad for each in features.encoder.network.parameters())
    assert not features.encoder.network.training
    with pytest.raises((ValueError, OSError), match="backbone"):
        FixedFeatures.named("../nope")


@pytest.mark.parametrize("attention", ["copy", "none", "self"])
def test_shapes_gradients_and_conditions_that_matter(pairs, attention):
    torch.manual_seed(0)
    network = replace(FORM, attention=attention).build()
    network.image.reset_parameters()  # it begins at 0, where nothing comes through
    photos, source, target = given(pairs, pairs.pairs[:4])
    images = network(photos, source, target)
    assert images.shape == (4, 3, 16, 16)
    images.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0 or name.endswith("look.weight"), name
    with torch.no_grad():
        alone = torch.cat([network(*(part[i : i + 1] for part in (photos, source, target))) for i in range(4)])
        torch.testing.assert_close(alone, images.detach(), atol=1e-4, rtol=1e-4)
        for number, other in enumerate((-photos, target, source)):
            changed = [photos, source, target]
            changed[number] = other
            assert (network(*changed) - images).abs().max() > 1e-3
        assert network(photos, torch.full_like(source, torch.nan), target).isfinite().all()


@pytest.mark.parametrize("attention", ["copy", "none", "self"])
def test_the_decoder_keeps_its_level_whatever_its_weights(pairs, attention):
    """Without that, weights that grow together made its maps grow until a loss was no number."""
    torch.manual_seed(0)
    network = replace(FORM, attention=attention).build()
    network.image.reset_parameters()
    given_to = given(pairs, pairs.pairs[:4])
    seen = []
    network.image.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        for _ in range(2):
            images = network(*given_to)
            assert images.abs().max() < 10
            for layer in network.up:
                layer.second.weight *= 1e4
                layer.second.bias *= 1e4
    for maps in seen:
        torch.testing.assert_close(maps.square().mean(1), torch.ones_like(maps[:, 0]), atol=0.3, rtol=0)


def test_training_begins_half_way_between_grey_and_what_is_carried_over(pairs):
    torch.manual_seed(0)
    network = FORM.build()
    photos, source, target = given(pairs, pairs.pairs[:4])
    with torch.no_grad():
        poses = (network.pose_embedding(each, photos) for each in (source, target))
        carried = network.brought(photos, *poses)[0][:, :3]
        torch.testing.assert_close(network(photos, source, target), carried / 2)


def test_an_untrained_network_copies_along_limbs_already():
    """What is carried over is more like the truth than what the warp of the nearest limb brings, or the source."""
    pairs = simulated_pose_pairs(20, 0, size=32, seed=3)
    torch.manual_seed(0)
    network = MorphForm(size=32, partition=Partition(patches=4, base=16, cells=16)).build()
    photos, source, target = given(pairs, pairs.pairs)
    truth = torch.from_numpy(pairs.images[pairs.pairs[:, 1]]).float() / 127.5 - 1
    with torch.no_grad():
        poses = (network.pose_embedding(each, photos) for each in (source, target))
        carried = network.brought(photos, *poses)[0][:, :3]
    missed = [float(absolute_term(each, truth)) for each in (carried, photos)]
    assert missed[0] < 0.75 * missed[1]


def test_the_critic_sees_patches_and_the_pose(pairs):
    torch.manual_seed(0)
    critic = FORM.critic().eval()
    photos, source, target = given(pairs, pairs.pairs[:2])
    logits = critic(photos, source)
    assert logits.shape == (2, 4, 4)
    assert (critic(photos, target) - logits).abs().max() > 1e-4


def test_batches_have_every_pair_once_before_any_twice(pairs):
    pairs = replace(pairs, pairs=pairs.pairs[::2])  # in one direction
    seen = []
    for photos, truth, source, target in PairBatches(pairs, 2, 3, seed=0):
        assert photos.shape == (3, 3, 16, 16)
        for number, poses in enumerate(zip(source, target, strict=True)):
            rows = [int(np.flatnonzero((pairs.joints == each.numpy()).all(axis=(1, 2)))[0]) for each in poses]
            seen.append(tuple(rows))
            for row, photo in zip(rows, (photos[number], truth[number]), strict=True):
                np.testing.assert_array_equal(photo.numpy(), pairs.images[row])
    assert sorted(seen) == sorted(map(tuple, pairs.pairs.tolist()))


@pytest.mark.parametrize("adversarial", [0.0, 0.1])
@pytest.mark.parametrize(("epoch", "step"), [(0, 1), (1, 0), (1, 1)])
def test_a_killed_training_goes_on_to_the_same_losses(pairs, tmp_path, monkeypatch, adversarial, epoch, step):
    config = replace(SHORT, adversarial=adversarial)
    train_morph(pairs, str(tmp_path / "whole"), form=FORM, training=config, features="small-cnn")
    own = MorphTraining.training_step

    def killed(self, batch, index):
        if (self.current_epoch, index) == (epoch, step):
            raise RuntimeError("killed")
        own(self, batch, index)

    monkeypatch.setattr(MorphTraining, "training_step", killed)
    with pytest.raises(RuntimeError, match="killed"):
        train_morph(pairs, str(tmp_path / "broken"), form=FORM, training=config, features="small-cnn")
    monkeypatch.setattr(MorphTraining, "training_step", own)
    train_morph(pairs, str(tmp_path / "broken"), form=FORM, training=config, features="small-cnn", resume=True)
    whole, broken = (RunFolder(str(tmp_path / name)) for name in ("whole", "broken"))
    rows = [[{**row, "seconds": 0} for row in each.read_json("report.json")["history"]] for each in (whole, broken)]
    assert rows[0] == rows[1]
    assert ("critic_loss" in rows[0][0]) == bool(adversarial)
    for name in ("morphs.png", "morph.safetensors"):
        assert whole.read_bytes(name) == broken.read_bytes(name)
    read = TrainedMorph.load(whole)
    assert read.network.form == FORM
    assert not broken.has("last.ckpt")


def test_a_loss_that_is_no_number_stops_and_keeps_the_epoch_before(pairs, tmp_path, monkeypatch):
    own = MorphTraining.training_step

    def spoilt(self, batch, index):
        if self.current_epoch == 1:
            with torch.no_grad():
                self.network.image.weight.fill_(torch.nan)
        own(self, batch, index)

    folder = RunFolder(str(tmp_path / "run"))
    monkeypatch.setattr(MorphTraining, "training_step", spoilt)
    with pytest.raises(FloatingPointError, match="absolute is nan in epoch 2; try a smaller lr"):
        train_morph(pairs, folder.address, form=FORM, training=SHORT, features="small-cnn")
    kept = torch.load(f"{folder.address}/last.ckpt", weights_only=True)
    assert len(kept["history"]) == 1
    assert all(value.isfinite().all() for value in kept["state_dict"].values() if value.is_floating_point())
    monkeypatch.setattr(MorphTraining, "training_step", own)
    train_morph(pairs, folder.address, form=FORM, training=SHORT, features="small-cnn", resume=True)
    assert folder.has("report.json")


def test_more_patches_than_in_training_can_be_looked_at(pairs):
    torch.manual_seed(0)
    trained = TrainedMorph(FORM.build().eval(), SHORT)
    rows = pairs.held_out
    asked = pairs.images[rows[:, 0]], pairs.joints[rows[:, 0]], pairs.joints[rows[:, 1]]
    whole = trained.looking_at(16).morph(*asked)
    assert trained.looking_at(None) is trained
    np.testing.assert_array_equal(trained.looking_at(2).morph(*asked), trained.morph(*asked))
    np.testing.assert_array_equal(trained.looking_at(99).morph(*asked), whole)
    assert (whole != trained.morph(*asked)).any()


def test_a_run_of_other_photos_or_another_size_is_refused(pairs, tmp_path):
    with pytest.raises(ValueError, match="form: expected 16 pixels and 16 points, as the photos have, got 32 and 16"):
        train_morph(pairs, str(tmp_path / "a"), form=MorphForm(size=32), training=SHORT)
    assert not (tmp_path / "a").exists()
    trained = TrainedMorph(FORM.build().eval(), SHORT)
    images, joints = np.zeros((1, 3, 16, 16), np.uint8), np.zeros((1, 16, 2), np.float32)
    with pytest.raises(ValueError, match=r"target: expected poses of 16 points \(MPII\), as the network has learnt"):
        trained.morph(images, joints, np.zeros((1, 18, 2), np.float32))
    with pytest.raises(ValueError, match="photos: expected 16 × 16 pixels"):
        trained.morph(np.zeros((1, 3, 32, 32), np.uint8), joints, joints)
    trained.save(RunFolder(str(tmp_path / "run")))
    with pytest.raises(ValueError, match="data: expected pairs that are held out, got none"):
        score_morph(replace(pairs, held_out=pairs.held_out[:0]), str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 30}, "size: expected 4, 5, 6 or 7, doubled"),
        ({"points": 14}, "expected 16 .MPII. or 18 .OpenPose. points, got 14"),
        ({"scales": 5}, "scales: expected at most 4 at 64 pixels, got 5"),
        ({"pose": 2}, "pose: expected a whole number from 3"),
        ({"attention": "both"}, "attention: expected"),
    ],
)
def test_forms_that_cannot_be_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        MorphForm(**options)


def test_textures_are_compared_inside_each_garment():
    rng = np.random.default_rng(0)
    truth = rng.random((2, 3, 16, 16))
    garments = np.zeros((2, 16, 16), dtype=np.uint8)
    garments[:, :4], garments[0, 6:], garments[1, 7, 7] = 1, 4, 2  # the last is too small
    np.testing.assert_allclose(garment_textures(0.5 * truth + 0.2, truth, garments), [1, 1, 1])
    other = truth.copy()
    other[0, :, 6:] = 0.3  # the fourth garment of the first photo has lost its texture
    np.testing.assert_allclose(sorted(garment_textures(other, truth, garments)), [0, 1, 1], atol=1e-9)
    # What lies between garments of two levels does not count.
    other = truth.copy()
    other[:, :, :4] += 5
    np.testing.assert_allclose(garment_textures(other, truth, garments), 1)


def test_rows_that_learn_nothing_are_ordered_as_they_should_be():
    pairs = simulated_pose_pairs(1, 12, size=32, seed=2)
    found = {name: scores(pairs, change) for name, change in still_rows(pairs.skeleton).items()}
    found["truth"] = scores(pairs, lambda *_: pairs.images[pairs.held_out[:, 1]])
    assert found["truth"] == {"ssim": pytest.approx(1), "absolute": 0, "texture": pytest.approx(1), "count": 24}
    still, moved = found["source unchanged"], found["limbs moved rigidly"]
    assert still["ssim"] < moved["ssim"] < 1
    assert still["absolute"] > moved["absolute"] > 0
    assert still["texture"] < moved["texture"] < 1


def test_a_walk_through_the_commands(pairs, tmp_path, capsys):
    if not cli.app.registered_groups:
        cli.mount()
    described = write_pose_pairs(pairs, str(tmp_path / "people"))
    table, photos, run_at = tmp_path / "people" / "keypoints.csv", tmp_path / "people" / "photos", tmp_path / "run"

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        assert cli.run(["vision", "morph", *map(str, words)]) == code
        told = capsys.readouterr()
        assert code == 0 or len(told.err.splitlines()) == 1
        return told.err if code else told.out

    learn = ("train", "--data", described, "--size", 16, "--width", 4, "--steps", 1, "--batch-size", 2)
    learn = (*learn, "--features", "small-cnn", "--device", "cpu")
    run(*learn, "--checkpoint", run_at)
    run(*learn, "--checkpoint", tmp_path / "plain", "--attention", "none")
    asked = (photos / "00001-0.png", "--keypoints", table, "--checkpoint", run_at, "--out", tmp_path / "new.png")
    run(*asked, "--pose", "00002-1.png", "--looks", tmp_path / "looks.png", "--at", "8,8")
    with Image.open(tmp_path / "new.png") as image:
        first = np.asarray(image)
    assert first.shape == (16, 16, 3)
    lines = table.read_text().splitlines()
    (tmp_path / "one.csv").write_text("\n".join([lines[0], *(line for line in lines if line.startswith("00002-1"))]))
    run("draw", *asked, "--pose", tmp_path / "one.csv")
    with Image.open(tmp_path / "new.png") as image:
        np.testing.assert_array_equal(np.asarray(image), first)
    judge = ("score", "--data", described, "--checkpoint", run_at, "--beside", tmp_path / "plain")
    run(*judge, "--out", tmp_path / "t.csv", "--sheet", tmp_path / "sheet.png")
    rows = pd.read_csv(tmp_path / "t.csv")
    assert list(rows["images"]) == ["network", str(tmp_path / "plain"), "source unchanged", "limbs moved rigidly"]
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (6 * 66 + 2, 6 * 66 + 2)  # source, pose, warp, plain, network, truth; all six pairs
    other = tmp_path / "other.csv"
    other.write_text(f"name:keypoints_y:keypoints_x\na: {[1] * 18}: {[1] * 18}\n")
    outside = tmp_path / "outside.csv"
    outside.write_text(f"name:keypoints_y:keypoints_x\na: {[99] * 16}: {[1] * 16}\n")
    cases = {
        "pose: expected a file, or one of the 18 poses in": (*asked, "--pose", "nope"),
        "pose: expected 16 points (MPII), as the network has learnt, got 18": (*asked, "--pose", other),
        "expected points in a photo of 16 × 16 pixels, got [1.0, 99.0]": (*asked, "--pose", outside),
        "pose: expected one pose, got 18": (*asked, "--pose", table),
        "at: expected a row and a column from 0 to 15": (
            *(*asked, "--pose", "00002-1.png", "--looks", tmp_path / "looks.png"),
            *("--at", "8,16"),
        ),
        "source: expected a file": ("nope.png", *asked[1:], "--pose", "00002-1.png"),
        "source: expected a photo whose pose is in": (tmp_path / "sheet.png", *asked[1:], "--pose", "00002-1.png"),
        "attention: expected a network that copies, got one with 'none'": (
            *(*asked, "--pose", "00002-1.png", "--checkpoint", tmp_path / "plain"),
            *("--looks", tmp_path / "looks.png"),
        ),
        "checkpoint: expected an empty folder, or --resume": (*learn, "--checkpoint", run_at),
    }
    for message, words in cases.items():
        assert message in run(*words, code=1)
