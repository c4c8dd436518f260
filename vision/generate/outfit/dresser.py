"""Train dressed figures on photos with outfits and poses, keep them in a folder, and dress people with them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from ....datasets.pictures.photos import read_photo
from ....datasets.pictures.poses import read_keypoints
from ....datasets.pictures.worn.outfits import Outfits
from ....datasets.pictures.worn.pairs import whole_photo
from ....runtime.arguments.kinds import Seed, checked
from ....runtime.arguments.naming import naming
from ....runtime.display.showing import Shown
from ....runtime.plain import PlainObject, made_of, to_plain
from ....runtime.reading.weights import network_with_tensors
from ....runtime.run_folder import RunFolder
from ....runtime.training.resume import REPORT, begin, check_begun, finish
from ..adversarial.running import keep_sheet, train_adversaries
from ..sheets import sheet
from ..trained import as_bytes
from .network import ARTICLE, SLOTS, Dresser, OutfitForm, heatmaps
from .training import OutfitConfig, OutfitTraining

WEIGHTS, DRESSER, SHEET = "dresser.safetensors", "dresser.json", "outfits.png"

_AT_ONCE, _EXAMPLES = 64, 6


@dataclass(frozen=True, repr=False)
class TrainedDresser(Shown):
    """Dressed figures: a network with its options, and a few outfits and poses to show it with.

    Arguments:
        network: the running mean of the weights, in evaluation mode.
        training: how it was trained.
        slots: six names; an empty text for a slot that the photos did not have.
        articles: uint8 ``[n, 6, 3, 32, 32]``, outfits.
        worn: bool ``[n, 6]``.
        joints: float32 ``[n, J, 2]``, poses.
    """

    network: Dresser
    training: OutfitConfig
    slots: tuple[str, ...]
    articles: Tensor
    worn: Tensor
    joints: Tensor

    def _shown(self) -> dict[str, object]:
        """Size, slots, parameters and training."""
        form, count = self.network.form, sum(each.numel() for each in self.network.parameters())
        kind = "articles and pose" if form.conditional else "nothing"
        return {"size": form.size, "slots": self.slots, "asked": kind, "parameters": count, "training": self.training}

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """The latent vector of each seed, ``[n, Z]``."""
        wide = self.network.form.latent
        return torch.stack([torch.randn(wide, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    def styles(self, latents: Tensor, articles: np.ndarray, worn: np.ndarray) -> Tensor:
        """The style of each layer, ``[n, L, W]``.

        Arguments:
            latents: ``[n, Z]``.
            articles: uint8 ``[n, 6, 3, 32, 32]``; what of it is worn counts.
            worn: bool ``[n, 6]``.
        """
        with torch.inference_mode():
            shots = torch.from_numpy(articles).float() / 127.5 - 1
            return self.network.eval().styles(latents, shots, torch.from_numpy(worn).float())

    def draw(self, styles: Tensor, joints: np.ndarray, device: str = "cpu") -> np.ndarray:
        """People in the outfits of these styles, in these poses.

        Arguments:
            styles: of `styles`, ``[n, L, W]``; layers may be those of others.
            joints: ``[n, J, 2]``, shares of the side.
            device: where to calculate.

        Returns:
            uint8 ``[n, 3, S, S]``.

        Raises:
            ValueError: poses have another layout.
        """
        expected = self.network.form.joints
        if joints.shape[1:] != (expected, 2):
            raise ValueError(f"pose: expected {expected} joints, as the run was trained with, got {joints.shape[1]}")
        network, found = self.network.to(device).eval(), []
        poses = torch.from_numpy(np.asarray(joints, dtype=np.float32))
        with torch.inference_mode():
            for first in range(0, len(styles), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                found.append(as_bytes(network.drawn(styles[some].to(device), poses[some].to(device))))
        return np.concatenate(found)

    def sheet(self) -> bytes:
        """Outfits in poses as PNG: a row an outfit, a column a pose; poses above. Without conditions, mixed styles."""
        count, form = len(self.joints), self.network.form
        latents = self.latents(range(count))
        if form.conditional:
            styles = self.styles(latents[:1].expand(count, -1), self.articles.numpy(), self.worn.numpy())
            rows = styles[:, None].expand(-1, count, -1, -1).flatten(0, 1)
        else:
            own = self.styles(latents, self.articles.numpy(), self.worn.numpy())
            rows = mixed(own[None].expand(count, -1, -1, -1), own[:, None].expand(-1, count, -1, -1), form.layers // 2)
            rows = rows.flatten(0, 1)
        poses = self.joints[None].expand(count, -1, -1, -1).flatten(0, 1)
        made = self.draw(rows, poses.numpy())
        bones = heatmaps(self.joints, form.size, form.spread).amax(dim=1).numpy()
        above = ((1 - bones) * 255).round().astype(np.uint8)[:, None].repeat(3, axis=1)
        return sheet(np.concatenate([above, made]) if form.conditional else made, count)

    def save(self, folder: RunFolder) -> None:
        """Write the weights as safetensors and all else as JSON, which is the sign that both are there."""
        shown = {"articles": self.articles, "worn": self.worn, "joints": self.joints}
        folder.write_tensors(WEIGHTS, {**self.network.state_dict(), **shown})
        described: PlainObject = {
            "form": to_plain(self.network.form),
            "training": to_plain(self.training),
            "slots": list(self.slots),
        }
        folder.write_json(DRESSER, described)

    @classmethod
    def load(cls, folder: RunFolder) -> TrainedDresser:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there are no dressed figures in the folder.
            ValueError: the weights are not those of the described network, or a file is broken.
        """
        with naming("checkpoint", folder.address):
            told = folder.read_json(DRESSER)
            form, slots = made_of(told["form"], OutfitForm), tuple(str(each) for each in told["slots"])
            tensors = folder.read_tensors(WEIGHTS)
            shapes = {"articles": (SLOTS, 3, ARTICLE, ARTICLE), "worn": (SLOTS,), "joints": (form.joints, 2)}
            shown = [tensors.pop(name, torch.zeros(0)) for name in shapes]
            if len(slots) != SLOTS or any(
                each.shape[1:] != shape for each, shape in zip(shown, shapes.values(), strict=True)
            ):
                raise ValueError(f"{folder.path(WEIGHTS)}: expected outfits of {SLOTS} slots with poses")
            network = network_with_tensors(form.build, tensors, folder.path(WEIGHTS), told["form"])
            return cls(network.eval(), made_of(told["training"], OutfitConfig), slots, *shown)


def mixed(first: Tensor, second: Tensor, layer: int) -> Tensor:
    """The styles of one image up to a layer, and from it on those of another (arXiv 1812.04948, §3.1).

    Arguments:
        first: ``[..., L, W]``; its layers decide the pose of a network without conditions.
        second: likewise; the colours.
        layer: the first of the second image, 0…L.
    """
    return torch.cat([first[..., :layer, :], second[..., layer:, :]], dim=-2)


@checked
def train_dresser(
    outfits: Outfits,
    checkpoint: str,
    *,
    form: OutfitForm | None = None,
    training: OutfitConfig | None = None,
    resume: bool = False,
    logger: Logger | Sequence[Logger] | None = None,
) -> TrainedDresser:
    """Train a network of dressed figures on photos with outfits and poses, and write the run.

    The run holds ``dresser.safetensors``, ``dresser.json``, the sheet ``outfits.png`` with earlier ones in ``sheets/``,
    and ``report.json``; while it trains also ``last.ckpt``, from which a killed training goes on.

    Arguments:
        outfits: of `read_outfits`, in the size of the form; those of the test side are left out.
        checkpoint: folder or fsspec address of the run.
        form: of the network.
        training: how to train.
        resume: go on with the killed training in `checkpoint`.
        logger: one or several of ``lightning.pytorch.loggers``.

    Returns:
        The network.

    Raises:
        ValueError: the folder already holds a run, there are fewer than two photos, photos or poses are not as the form
            says, or `resume` is asked of a run begun with other options or photos.
        FloatingPointError: a loss became NaN or infinite; the state of the last whole epoch is kept.
    """
    form, training = form or OutfitForm(), training or OutfitConfig()
    folder = RunFolder(checkpoint)
    begun: PlainObject = {"form": to_plain(form), "training": to_plain(training)}
    with folder.alone("checkpoint"):
        check_begun(folder, begun, resume)
        if folder.has(REPORT):
            return TrainedDresser.load(folder)
        started = time.process_time()
        learnt = outfits.some(np.array([side != "test" for side in outfits.sides], dtype=bool))
        if len(learnt) < 2:
            raise ValueError(f"outfits: expected two or more photos to learn from, got {len(learnt)}")
        if learnt.images.shape[2:] != (form.size, form.size) or learnt.joints.shape[1] != form.joints:
            raise ValueError(
                f"outfits: expected photos of {form.size} pixels with {form.joints} joints, got "
                f"{learnt.images.shape[-1]} with {learnt.joints.shape[1]}"
            )
        facts: PlainObject = {"photos": list(learnt.content), "slots": list(learnt.slots)}
        begin(folder, begun, facts, resume)
        torch.manual_seed(training.seed)
        network, critic = form.build(), form.critic()
        shown_with = [torch.from_numpy(each[:_EXAMPLES]) for each in (learnt.articles, learnt.worn, learnt.joints)]

        def shown(epoch: int, now: Dresser) -> None:
            content = TrainedDresser(now, training, learnt.slots, *shown_with).sheet()
            keep_sheet(folder, SHEET, content, epoch, training.epochs)

        module = OutfitTraining(network, critic, training, learnt, shown)
        train_adversaries(module, folder, training.precision, training.device, logger)
        trained = TrainedDresser(module.average.cpu(), training, learnt.slots, *shown_with)
        trained.save(folder)
        report: PlainObject = {
            "photos": len(learnt),
            "parameters": {
                "generator": sum(each.numel() for each in network.parameters()),
                "critic": sum(each.numel() for each in critic.parameters()),
            },
            "seconds": {"processor": round(time.process_time() - started, 1)},
            "history": module.history,
        }
        finish(folder, report)
        return trained


@checked
def dress(
    checkpoint: str, articles: Sequence[str], pose: str, *, item: str | None = None, seed: Seed = 0, device: str = "cpu"
) -> np.ndarray:
    """A person in chosen articles and a chosen pose.

    Arguments:
        checkpoint: the run of `train_dresser`, with conditions.
        articles: up to six packshots, in any order, each as ``slot=path``, or a path whose folder has the slot's name;
            none for nothing worn.
        pose: a table of keypoints, see `read_keypoints`, in pixels of a photo whose longer side is that of the run.
        item: the pose of this photo of the table; by default the first.
        seed: draws body and background.
        device: where to calculate.

    Returns:
        uint8 ``[3, S, S]``.

    Raises:
        FileNotFoundError: there is no network in the folder, or no such file.
        ValueError: there are more articles than slots, two are of one slot, a slot is not known, or the pose has
            another layout or lies outside.
    """
    trained = TrainedDresser.load(RunFolder(checkpoint))
    if not trained.network.form.conditional:
        raise ValueError(f"checkpoint: expected a network that was trained with articles and poses, got {checkpoint}")
    shots, worn = outfit_of(articles, trained.slots)
    with naming("pose", pose):
        poses = read_keypoints(pose)
        if item is not None and item not in poses:
            raise ValueError(f"item: expected one of {', '.join(list(poses)[:5])}, got {item!r}")
        points = poses[item or next(iter(poses))] / trained.network.form.size
        if np.nanmax(points) > 1:
            raise ValueError(
                f"pose: expected keypoints of at most {trained.network.form.size} pixels, the side of the run, "
                f"got {np.nanmax(points) * trained.network.form.size:g}"
            )
    styles = trained.styles(trained.latents([seed]), shots[None], worn[None])
    made: np.ndarray = trained.draw(styles, points[None].astype(np.float32), device)[0]
    return made


def outfit_of(articles: Sequence[str], slots: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The packshots of an outfit by slot, uint8 ``[6, 3, 32, 32]``, and which there are, bool ``[6]``.

    Arguments:
        articles: see `dress`.
        slots: six names.

    Raises:
        ValueError: see `dress`.
    """
    known = [slot for slot in slots if slot]
    if len(articles) > len(known):
        raise ValueError(
            f"articles: expected at most {len(known)}, one for each of {', '.join(known)}, got {len(articles)}"
        )
    shots = np.full((SLOTS, 3, ARTICLE, ARTICLE), 255, dtype=np.uint8)
    worn = np.zeros(SLOTS, dtype=bool)
    for given in articles:
        named, _, path = given.rpartition("=")
        slot = named or path.rpartition("/")[0].rpartition("/")[2]
        if slot not in known:
            raise ValueError(f"articles: expected slot=path with a slot of {', '.join(known)}, got {given!r}")
        place = list(slots).index(slot)
        if worn[place]:
            raise ValueError(f"articles: expected at most one for {slot}, got {given!r} beside another")
        with naming("articles", given):
            pixels = whole_photo(read_photo(path), ARTICLE, ARTICLE)
        if bool((pixels > 234).all()):
            raise ValueError(f"articles: expected an article on white, got nothing but white in {given}")
        shots[place], worn[place] = pixels, True
    return shots, worn
