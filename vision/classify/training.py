"""Training a product network: its LightningModule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from ...datasets.pictures.photos import Pictures
from ...runtime.devices import torch_device
from ...runtime.plain import PlainObject
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints
from ...runtime.training.epochs import EpochTraining
from ...runtime.training.run import run_training
from ..networks.article_batches import ArticleBatch, ArticleBatches
from ..networks.augmentation import Augmentation
from ..networks.product_network import ProductNetwork
from ..networks.standardisation import Standardisation
from .inputs import forget_vectors, photo_vectors, title_vectors
from .options import TrainConfig
from .parameter_groups import parameter_groups
from .task_loss import TaskLoss

# As many steps as a network needs to learn a task, however few the articles are.
_EPOCHS, _STEPS = 20, 1500


class Training(EpochTraining):
    """A product network under Lightning.

    Arguments:
        network: the network.
        config: the options.
        pictures: the photos of the whole catalogue.
        targets: task -> codes of the whole catalogue.
        train: the numbers of the training articles.
        validation: the numbers of the articles to watch; may be empty.
        vectors: ``[photos, views, F]`` of the photos by a network that stays as it is; ``None`` where it learns.
        titles: ``[articles, titles]`` of the whole catalogue; ``None`` where titles are not read.
    """

    def __init__(
        self,
        network: ProductNetwork,
        config: TrainConfig,
        pictures: Pictures,
        targets: Mapping[str, np.ndarray],
        train: np.ndarray,
        validation: np.ndarray,
        vectors: Tensor | None = None,
        titles: Tensor | None = None,
    ) -> None:
        super().__init__(config.epochs or _EPOCHS, config.seed)
        self.network, self.config, self.vectors, self.titles = network, config, vectors, titles
        self.pictures, self.targets = pictures, targets
        self.rows, self.watched = train, validation
        known = {name: codes[train] for name, codes in targets.items()}
        self.loss = TaskLoss(
            network.labels, known, weights=config.class_weights, beta=config.class_beta, smoothing=config.smoothing
        )
        size = network.backbone.preprocessing.size
        self.augment: nn.Module = nn.Identity() if config.augment is None else Augmentation(config.augment, size)
        self._right: dict[str, list[Tensor]] = {}
        self.passes = 1
        if config.epochs is None:
            self.passes = -(-_STEPS // (_EPOCHS * len(self.train_dataloader())))

    def train_dataloader(self) -> ArticleBatches:
        """The training articles, in an order of this epoch; made anew by Lightning before each epoch."""
        return ArticleBatches(
            self.pictures,
            self.targets,
            self.rows,
            batch_size=self.config.batch_size,
            seed=self.epoch_seed,
            each_photo=self.network.config.pooling == "logits",
            passes=self.passes,
            vectors=self.vectors,
            titles=self.titles,
        )

    def val_dataloader(self) -> ArticleBatches | list[ArticleBatch]:
        """The articles to watch."""
        if not len(self.watched):
            return []
        size = 4 * self.config.batch_size
        return ArticleBatches(
            self.pictures, self.targets, self.watched, batch_size=size, vectors=self.vectors, titles=self.titles
        )

    def transfer_batch_to_device(self, batch: ArticleBatch, device: torch.device, dataloader_idx: int) -> ArticleBatch:
        """Move a batch to the training device."""
        return batch.to(device)

    def on_train_epoch_start(self) -> None:
        """Reset the counts of right answers."""
        super().on_train_epoch_start()
        self._right = {}

    def training_step(self, batch: ArticleBatch, index: int) -> Tensor:
        """One step."""
        titles = batch.titles
        if self.vectors is not None:
            chance = 0.0 if self.config.augment is None else self.config.augment.mirror
            view = (torch.rand(len(batch.pixels), device=batch.pixels.device) < chance).long()
            seen = batch.pixels[torch.arange(len(view), device=view.device), view]
            logits = self.network.judge_vectors(seen, batch.article, len(batch), titles)
        else:
            images = self.network.prepare.bright(batch.pixels)
            images = self.network.prepare.normalise(self.augment(images))
            logits = self.network.judge(images, batch.article, len(batch), titles)
        return self.noted(self.loss(logits, batch.targets))

    def validation_step(self, batch: ArticleBatch, index: int) -> None:
        """Count right answers."""
        if self.vectors is not None:
            logits = self.network.judge_vectors(batch.pixels[:, 0], batch.article, len(batch), batch.titles)
        else:
            logits = self.network(batch.pixels, batch.article, len(batch), batch.titles)
        for task in self.network.labels.tasks:
            said, target = logits[task.name], batch.targets[task.name]
            if task.facets:
                known = ~target.isnan()
                right = (said[known] > 0) == (target[known] > 0.5)
            else:
                known = target != -1
                right = said[known].argmax(dim=1) == target[known]
            self._right.setdefault(task.name, []).append(right.float())

    def watched_values(self) -> dict[str, float]:
        """The share of right answers by task."""
        return {f"validation_accuracy/{name}": share for name, share in self.judged().items()}

    def row(self, losses: Mapping[str, float], seconds: float) -> tuple[PlainObject, str]:
        """The mean loss, and the share of right answers by task."""
        judged = self.judged()
        row: PlainObject = {
            "epoch": self.current_epoch + 1,
            **losses,
            "validation": judged,
            "seconds": round(seconds, 2),
        }
        return row, "".join(f", {name} {value:.3f}" for name, value in judged.items())

    def judged(self) -> dict[str, float]:
        """The share of right answers in this epoch, by task; none of a task without a label among those to watch."""
        told = {name: torch.cat(right) for name, right in self._right.items()}
        return {name: round(float(right.mean()), 4) for name, right in told.items() if len(right)}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW and the one cycle of its learning rate."""
        config = self.config
        groups = parameter_groups(
            self.network, config.lr, layer_decay=config.layer_decay, weight_decay=config.weight_decay
        )
        return self.one_cycle(torch.optim.AdamW(groups, lr=config.lr), config.rise)


def fit(
    network: ProductNetwork,
    config: TrainConfig,
    pictures: Pictures,
    targets: Mapping[str, np.ndarray],
    *,
    train: np.ndarray,
    validation: np.ndarray,
    folder: RunFolder | None = None,
    logger: Logger | Sequence[Logger] | None = None,
    further: bool = False,
    titles: Sequence[str] | None = None,
    vectors: Tensor | None = None,
) -> list[PlainObject]:
    """Train a network in place, going on from the state in the folder if there is one.

    Arguments:
        network: the network, its weights already drawn.
        config: the options.
        pictures: the photos of the whole catalogue.
        targets: task -> codes of the whole catalogue.
        train: int64, the numbers of the articles to learn from; each has a photo.
        validation: int64, the numbers of the articles to watch; may be empty.
        folder: where the state of each epoch is kept, and what a frozen network sees; ``None`` keeps none.
        logger: Lightning's, one or several, for the curves of the training.
        further: whether the network was trained before: its statistics and answers are what it begins with.
        titles: the titles of the whole catalogue, for a network that reads them.
        vectors: what `photo_vectors` gave of these pictures, where it was asked before.

    Returns:
        The training log: a row an epoch with ``epoch, loss, validation, seconds``.

    Raises:
        ValueError: there is no article to learn from.
        FloatingPointError: the loss became NaN or infinite.
    """
    if not len(train):
        raise ValueError("train: expected articles with a photo to learn from, got none")
    # Lightning leaves each module in its mode, and stored weights come in evaluation mode.
    network.train()
    read = None if titles is None else title_vectors(network, titles, None if further else train)
    if config.frozen:
        network.freeze()
        if network.warp is None and vectors is None:
            mirrored = config.augment is not None and config.augment.mirror > 0
            device = torch_device(config.device)
            vectors = photo_vectors(network, pictures, mirrored=mirrored, device=device, folder=folder)
        if vectors is not None:
            if isinstance(network.scale, Standardisation) and not further:
                network.scale.fit(vectors[torch.from_numpy(np.isin(pictures.article, train)), 0])
            if network.config.hidden == 0 and not further:
                # Many features and few photos: what a random start says of directions that none of them has, stays.
                for head in network.heads:
                    nn.init.zeros_(cast("Tensor", head.weight))
    module = Training(network, config, pictures, targets, train, validation, vectors, read)
    options: dict[str, object] = {
        "accelerator": config.device,
        "precision": config.precision,
        "reload_dataloaders_every_n_epochs": 1,
    }
    options["logger"] = logger or False
    run_training(module, Checkpoints(folder), options=options)
    if folder is not None:
        forget_vectors(folder)
    network.eval()
    return module.history
