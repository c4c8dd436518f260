"""People in chosen articles and poses: heatmaps, encoder, networks, training, what is judged, and commands."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.worn.outfits import read_outfits
from hemline.datasets.simulated.people.figure_outfits import write_outfits
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.outfit.comparison import colours_of, fixed_answer, scores_of
from hemline.vision.generate.outfit.dresser import TrainedDresser, dress, mixed, outfit_of, train_dresser
from hemline.vision.generate.outfit.network import OutfitEncoder, OutfitForm, article_colours, heatmaps
from hemline.vision.generate.outfit.reader import ReaderConfig, read_figures, trained_reader
from hemline.vision.generate.outfit.terms import photo_term, slot_colour_term, worn_term, wrong_pair_term
from hemline.vision.generate.outfit.training import OutfitConfig, OutfitTraining
from PIL import Image

FORM = OutfitForm(size=16, latent=6, style=12, told=4, width=4, most=8)
SHORT = OutfitConfig(steps=4, log_steps=2, batch_size=4, device="cpu")
SLOTS = ("hat", "top", "jacket", "bottom", "shoes", "bag")


def test_a_heatmap_is_a_bell_about_its_joint():
    joints = torch.tensor([[[0.25, 0.75], [torch.nan, torch.nan]]], dtype=torch.float64)
    maps = heatmaps(joints, 8, 0.1)
    assert maps.shape == (1, 2, 8, 8)
    assert not maps[0, 1].any()  # a joint that is missing
    for row in range(8):
        for column in range(8):
            square = ((column + 0.5) / 8 - 0.25) ** 2 + ((row + 0.5) / 8 - 0.75) ** 2
            assert float(maps[0, 0, row, column]) == pytest.approx(math.exp(-square / 0.02), rel=1e-6)


def test_terms_by_hand():
    assert float(wrong_pair_term(torch.tensor([0.5, -3.0]))) == pytest.approx(0.75)
    assert float(photo_term(torch.tensor([0.5, -1.0]), torch.tensor([0.0, 0.0]))) == pytest.approx(0.75)
    told = torch.zeros(1, 2, 4)
    told[0, 0, 0], told[0, 1] = 2.0, torch.tensor([-1.0, 0.5, 0.0, 0.0])
    worn = torch.tensor([[1.0, 0.0]])
    assert float(worn_term(told, worn)) == pytest.approx((math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2)
    colours = torch.tensor([[[0.0, 1.0, 0.0], [9.0, 9.0, 9.0]]])
    assert float(slot_colour_term(told, colours, worn)) == pytest.approx(1.0)  # what is not worn has no colour
    assert float(slot_colour_term(told, colours, 0 * worn)) == 0


def outfit(count=3):
    torch.manual_seed(1)
    articles = torch.rand(count, 6, 3, 32, 32) * 1.6 - 1
    worn = torch.ones(count, 6)
    worn[:, 4] = 0
    return articles, worn, torch.rand(count, 16, 2)


def test_what_lies_in_an_empty_slot_does_not_matter_and_whether_it_is_empty_does():
    articles, worn, _ = outfit()
    encoder = OutfitEncoder(4)
    read = encoder(articles, worn)
    assert read.shape == (3, 24)
    spoilt = articles.clone()
    spoilt[:, 4] = 0.3
    torch.testing.assert_close(encoder(spoilt, worn), read)
    spoilt[:, 1] = 0.3
    changed = (encoder(spoilt, worn) - read).abs().unflatten(1, (6, 4)).amax(dim=(0, 2))
    assert changed[1] > 1e-3  # a slot changes the numbers of its own
    assert not changed[[0, 2, 3, 4, 5]].any()
    assert (encoder(articles, torch.ones(3, 6)) - read).abs().max() > 1e-3


def test_the_colour_of_an_article_is_its_mean_off_the_white_ground():
    articles = torch.ones(1, 6, 3, 8, 8)
    articles[0, 1, :, 2:4, 2:6] = torch.tensor([0.5, -0.5, 0.0])[:, None, None]
    found = article_colours(articles)[0]
    assert found[1].tolist() == pytest.approx([0.5, -0.5, 0.0])
    assert found[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("conditional", [True, False])
def test_shapes_gradients_and_conditions_that_matter(conditional):
    form = replace(FORM, conditional=conditional)
    articles, worn, joints = outfit()
    torch.manual_seed(0)
    dresser, critic = form.build(), form.critic()
    latents = torch.randn(3, 6)
    images = dresser(latents, articles, worn, joints)
    assert images.shape == (3, 3, 16, 16)
    assert images.abs().max() <= 1
    logits, told = critic(images, articles, worn, joints)
    assert logits.shape == (3,)
    assert told.shape == (3, 6, 4)
    (logits.square().sum() + told.square().sum()).backward()
    for part in (dresser, critic):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
    dresser.eval(), critic.eval()
    with torch.no_grad():
        whole = dresser(latents, articles, worn, joints)
        alone = torch.cat(
            [dresser(*(part[row : row + 1] for part in (latents, articles, worn, joints))) for row in range(3)]
        )
        torch.testing.assert_close(alone, whole, atol=1e-4, rtol=1e-4)
        for given in ((articles.flip(0), worn, joints), (articles, 1 - worn, joints), (articles, worn, joints.flip(0))):
            assert bool(((dresser(latents, *given) - whole).abs().max() > 1e-4) == conditional)
            other = critic(whole, *given)[0] - critic(whole, articles, worn, joints)[0]
            assert bool((other.abs().max() > 1e-6) == conditional)
        assert (dresser(latents.flip(0), articles, worn, joints) - whole).abs().max() > 1e-4


def test_styles_of_two_images_are_mixed_by_layers():
    first, second = torch.zeros(2, FORM.layers, 3), torch.ones(2, FORM.layers, 3)
    made = mixed(first, second, 2)
    assert made[:, :2].sum() == 0
    assert bool((made[:, 2:] == 1).all())
    assert torch.equal(mixed(first, second, 0), second)
    assert torch.equal(mixed(first, second, FORM.layers), first)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_outfits(tmp_path_factory.mktemp("outfits") / "figures", 12, 2, size=16, test=0.25, seed=1)


@pytest.fixture(scope="module")
def outfits(folder):
    return read_outfits(str(folder), 16)


def test_a_killed_training_goes_on_to_the_same_losses_and_the_same_sheet(outfits, tmp_path, monkeypatch):
    train_dresser(outfits, str(tmp_path / "whole"), form=FORM, training=SHORT)
    step = OutfitTraining.training_step

    def killed(self, batch, index):
        if self.current_epoch == 1 and index == 1:
            raise RuntimeError("killed")
        step(self, batch, index)

    monkeypatch.setattr(OutfitTraining, "training_step", killed)
    with pytest.raises(RuntimeError, match="killed"):
        train_dresser(outfits, str(tmp_path / "broken"), form=FORM, training=SHORT)
    monkeypatch.setattr(OutfitTraining, "training_step", step)
    with pytest.raises(ValueError, match="resume: expected photos as the run in"):
        train_dresser(outfits.some(np.arange(9)), str(tmp_path / "broken"), form=FORM, training=SHORT, resume=True)
    train_dresser(outfits, str(tmp_path / "broken"), form=FORM, training=SHORT, resume=True)
    whole, broken = (RunFolder(str(tmp_path / name)) for name in ("whole", "broken"))
    told = [[{**row, "seconds": 0} for row in each.read_json("report.json")["history"]] for each in (whole, broken)]
    assert told[0] == told[1]
    for name in ("outfits.png", "dresser.safetensors"):
        assert whole.read_bytes(name) == broken.read_bytes(name)
    read, made = TrainedDresser.load(whole), TrainedDresser.load(broken)
    asked = outfits.some(np.array([0, 5]))
    drawn = [
        each.draw(each.styles(each.latents([1, 2]), asked.articles, asked.worn), asked.joints) for each in (read, made)
    ]
    np.testing.assert_array_equal(*drawn)


def test_a_loss_that_is_no_number_stops_the_training_and_leaves_the_state_of_before(outfits, tmp_path, monkeypatch):
    import hemline.vision.generate.outfit.training as module

    term, calls = module.worn_term, []

    def spoilt(told, worn):
        calls.append(1)
        return term(told, worn) * (torch.nan if len(calls) > 4 else 1)

    monkeypatch.setattr(module, "worn_term", spoilt)
    with pytest.raises(FloatingPointError, match="is nan in epoch 2; try a smaller lr"):
        train_dresser(outfits, str(tmp_path / "run"), form=FORM, training=SHORT)
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert [row["epoch"] for row in state["history"]] == [1]
    assert all(value.isfinite().all() for value in state["state_dict"].values() if value.is_floating_point())


def test_the_test_side_is_not_learnt_from(outfits, tmp_path):
    train_dresser(outfits, str(tmp_path / "both"), form=FORM, training=replace(SHORT, steps=2))
    learnt = outfits.some(np.array([side == "train" for side in outfits.sides]))
    train_dresser(learnt, str(tmp_path / "one"), form=FORM, training=replace(SHORT, steps=2))
    both, one = (RunFolder(str(tmp_path / name)) for name in ("both", "one"))
    assert both.read_bytes("dresser.safetensors") == one.read_bytes("dresser.safetensors")


def test_photos_of_another_size_or_pose_are_refused(outfits, tmp_path):
    for form, message in (
        (replace(FORM, size=32), "outfits: expected photos of 32 pixels with 16 joints, got 16 with 16"),
        (replace(FORM, joints=18), "outfits: expected photos of 16 pixels with 18 joints, got 16 with 16"),
    ):
        with pytest.raises(ValueError, match=message):
            train_dresser(outfits, str(tmp_path / "run"), form=form, training=SHORT)
    assert not (tmp_path / "run" / "begun.json").exists()
    empty = torch.zeros(0)
    with pytest.raises(ValueError, match="pose: expected 16 joints, as the run was trained with, got 18"):
        TrainedDresser(FORM.build(), SHORT, SLOTS, empty, empty, empty).draw(
            torch.zeros(1, 6, 12), np.zeros((1, 18, 2))
        )


def test_a_true_answer_has_no_errors_and_a_fixed_one_those_of_its_spread(outfits):
    truth = (outfits.joints, outfits.worn.astype(float), colours_of(outfits))
    assert scores_of(truth, outfits, outfits) == {"joints": 0, "colour": 0, "worn": 1, "empty": 0}
    fixed = scores_of(fixed_answer(outfits, len(outfits)), outfits, outfits)
    apart = np.linalg.norm(outfits.joints - outfits.joints.mean(axis=0), axis=2).mean()
    assert fixed["joints"] == pytest.approx(float(apart), rel=1e-5)
    assert fixed["colour"] > 0.1
    likely = outfits.worn.mean(axis=0) > 0.5
    assert fixed["empty"] == pytest.approx(
        (np.broadcast_to(likely, outfits.worn.shape) & ~outfits.worn).sum() / (~outfits.worn).sum()
    )


def test_a_reader_learns_joints_of_photos(outfits):
    reader = trained_reader(outfits, ReaderConfig(steps=60, batch_size=8, width=4))
    joints, likely, colours = read_figures(reader, outfits.images)
    assert joints.shape == (24, 16, 2)
    assert likely.shape == (24, 6)
    assert colours.shape == (24, 6, 3)
    fixed = scores_of(fixed_answer(outfits, 24), outfits, outfits)
    assert scores_of((joints, likely, colours), outfits, outfits)["joints"] < fixed["joints"]
    again = read_figures(trained_reader(outfits, ReaderConfig(steps=60, batch_size=8, width=4)), outfits.images)
    np.testing.assert_array_equal(again[0], joints)


def test_articles_find_their_slots_in_any_order(folder):
    shots = folder / "articles"
    one = [str(next((shots / slot).iterdir())) for slot in ("bottom", "top")]
    articles, worn = outfit_of(one, SLOTS)
    turned = outfit_of([f"top={one[1]}", one[0]], SLOTS)
    np.testing.assert_array_equal(articles, turned[0])
    assert worn.tolist() == turned[1].tolist() == [False, True, False, True, False, False]
    assert (articles[[0, 2, 4, 5]] == 255).all()
    for given, message in (
        ([one[0]] * 7, "articles: expected at most 6, one for each of hat, top, .*, got 7"),
        ([one[0]] * 2, "articles: expected at most one for bottom, got"),
        ([f"dress={one[0]}"], "articles: expected slot=path with a slot of hat, top, .*, got 'dress="),
    ):
        with pytest.raises(ValueError, match=message):
            outfit_of(given, SLOTS)


def test_a_walk_through_the_commands(folder, tmp_path, capsys):
    if not cli.app.registered_groups:
        cli.mount()

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        assert cli.run(["vision", "outfit", *map(str, words)]) == code
        told = capsys.readouterr()
        assert code == 0 or len(told.err.splitlines()) == 1
        return told.err if code else told.out

    at, pose = tmp_path / "run", folder / "keypoints.csv"
    run("train", "--data", folder, "--checkpoint", at, "--size", 16, "--steps", 1, "--batch-size", 2)
    free = ("--checkpoint", tmp_path / "free", "--unconditional")
    run("train", "--data", folder, *free, "--size", 16, "--steps", 1, "--batch-size", 2)
    top = next((folder / "articles" / "top").iterdir())
    words = ("--articles", f"{top}", "--pose", pose, "--checkpoint", at, "--out")
    run(*words, tmp_path / "a.png")
    run("draw", *words, tmp_path / "b.png", "--item", "3-1.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    bare = dress(str(at), [], str(pose))
    with Image.open(tmp_path / "a.png") as image:
        assert (np.asarray(image).transpose(2, 0, 1) != bare).any()
    told = run("--pose", pose, "--item", "x", "--checkpoint", at, "--out", tmp_path / "c.png", code=1)
    assert "item: expected one of 0-0.png" in told
    told = run("--pose", pose, "--checkpoint", tmp_path / "free", "--out", tmp_path / "c.png", code=1)
    assert "checkpoint: expected a network that was trained with articles and poses" in told
    lines = pose.read_text().splitlines()
    far, other = tmp_path / "far.csv", tmp_path / "other.csv"
    far.write_text("\n".join([lines[0], "a:[" + ",".join(["20"] * 16) + "]:[" + ",".join(["5"] * 16) + "]"]))
    other.write_text("\n".join([lines[0], "a:[" + ",".join(["2"] * 18) + "]:[" + ",".join(["5"] * 18) + "]"]))
    told = run("--pose", far, "--checkpoint", at, "--out", tmp_path / "c.png", code=1)
    assert "far.csv: expected keypoints of at most 16 pixels, the side of the run, got 20" in told
    told = run("--pose", other, "--checkpoint", at, "--out", tmp_path / "c.png", code=1)
    assert "pose: expected 16 joints, as the run was trained with, got 18" in told
    assert not (tmp_path / "c.png").exists()
    words = ("--unconditional", tmp_path / "free", "--reader-steps", 2, "--out", tmp_path / "t.csv")
    run("score", "--data", folder, "--checkpoint", at, *words)
    table = pd.read_csv(tmp_path / "t.csv").set_index("images")
    assert list(table.index) == [
        "dressed", "another outfit", "shuffled conditions", "untrained", "without conditions", "fixed answer",
        "held-out photos",
    ]  # fmt: skip
    assert (table["count"] == 6).all()
