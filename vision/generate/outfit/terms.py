"""Terms of the loss of dressed figures, beside the adversarial one."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, relu


def wrong_pair_term(logits: Tensor) -> Tensor:
    """``mean max(0, 1 + D)`` of photos with articles or a pose that are not theirs: they are no better than drawn ones.

    Source: as text conditions are learnt by S. Reed et al. (2016), arXiv 1605.05396, §4.2, here with the hinge.

    Arguments:
        logits: of the critic, ``[B]``.
    """
    return relu(1 + logits).mean()


def photo_term(made: Tensor, photos: Tensor) -> Tensor:
    """Mean absolute difference of figures to the photos whose outfit and pose were asked for.

    A term of our own for short trainings, as P. Isola et al. (2017), arXiv 1611.07004, equation 3, have it for pairs.

    Arguments:
        made: ``[B, 3, S, S]``.
        photos: likewise.
    """
    return (made - photos).abs().mean()


def worn_term(told: Tensor, worn: Tensor) -> Tensor:
    """Cross-entropy of which slots have an article, the mean over slots.

    Arguments:
        told: of the critic, ``[B, 6, 4]``: a logit and a colour.
        worn: which have one, ``[B, 6]``, 0 or 1.
    """
    return binary_cross_entropy_with_logits(told[:, :, 0].float(), worn.float())


def slot_colour_term(told: Tensor, colours: Tensor, worn: Tensor) -> Tensor:
    """Squared distance of the colour of each slot to that of its article, the mean over articles that are worn.

    Arguments:
        told: of the critic, ``[B, 6, 4]``: a logit and a colour.
        colours: of the articles, ``[B, 6, 3]``, −1…1.
        worn: which there are, ``[B, 6]``, 0 or 1.
    """
    square = (told[:, :, 1:].float() - colours.float()).square().sum(dim=2)
    return (square * worn).sum() / worn.sum().clamp_min(1)
