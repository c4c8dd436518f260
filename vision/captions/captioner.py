"""A recurrent network that words what an article's vector says."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from ...runtime.arguments.kinds import Checked, Count, Dropout
from .beam_search import beam_search
from .words import BEGIN, END, PAD, UNKNOWN


@dataclass(frozen=True)
class CaptionerConfig(Checked):
    """The form of a captioner.

    Arguments:
        features: width F of the article vectors.
        vocabulary: words, special tokens included.
        embed: width of a word's vector.
        hidden: width of the state.
        dropout: share of the state's outputs left out in training.

    Raises:
        ValueError: an argument is out of its range.
    """

    features: Count
    vocabulary: Count
    embed: Count = 64
    hidden: Count = 512
    dropout: Dropout = 0.3


class Captioner(nn.Module):
    """A GRU whose first state is a linear image of the article vector, as in FashionBrain's report D2.5.

    Arguments:
        config: the form.

    Example:
        >>> captioner = Captioner(CaptionerConfig(features=8, vocabulary=20, hidden=16))
        >>> captioner.say(torch.zeros(2, 8), beams=3, max_length=5).shape
        torch.Size([2, 5])
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.features, config.hidden)
        self.embed = nn.Embedding(config.vocabulary, config.embed, padding_idx=PAD)
        self.gru = nn.GRU(config.embed, config.hidden, batch_first=True)
        self.drop = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, config.vocabulary)

    def loss(self, vectors: Tensor, titles: Tensor, lengths: Tensor) -> Tensor:
        """Mean cross-entropy of each word, given the words before it (teacher forcing), in a packed batch.

        Arguments:
            vectors: ``[B, F]``.
            titles: int64 ``[B, L]``, ended by `END`, then padded.
            lengths: int64 ``[B]``, on the processor: tokens of each title, its end among them.

        Returns:
            A number.
        """
        before = torch.cat([torch.full_like(titles[:, :1], BEGIN), titles[:, :-1]], dim=1)
        packed = pack_padded_sequence(self.embed(before), lengths, batch_first=True, enforce_sorted=False)
        states, _ = self.gru(packed, self._begin(vectors)[None])
        wanted = pack_padded_sequence(titles, lengths, batch_first=True, enforce_sorted=False).data
        return nn.functional.cross_entropy(self.out(self.drop(states.data)), wanted)

    @torch.no_grad()
    def say(self, vectors: Tensor, *, beams: int = 5, max_length: int = 24) -> Tensor:
        """The likeliest title of each vector ``[B, F]``, int64 ``[B, max_length]`` ended by `END`."""
        said, _ = beam_search(
            self._step,
            self._begin(vectors),
            begin=BEGIN,
            end=END,
            beams=beams,
            max_length=max_length,
            banned=(PAD, BEGIN, UNKNOWN),
        )
        return said

    def _begin(self, vectors: Tensor) -> Tensor:
        return torch.tanh(self.first(vectors))

    def _step(self, token: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        states, after = self.gru(self.embed(token)[:, None], state[None].contiguous())
        return self.out(states[:, 0]).log_softmax(dim=1), after[0]
