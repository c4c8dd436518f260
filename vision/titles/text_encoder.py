"""Titles as vectors of a network of the `transformers` library, from a folder of weights or the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...runtime.digest import sha256_of
from ...runtime.reading.places import network_is_refused

_AT_ONCE = 64


class TextEncoder(nn.Module):
    """A network of words with stored weights, which stays as it is.

    The vector of a text is the one that the network gives of it (``text_embeds`` of CLIP and its like), or the mean
    over its tokens, brought to length 1.

    Arguments:
        model: the network, in evaluation mode.
        tokenizer: its tokenizer.
        source: the folder or name on the hub.
    """

    def __init__(self, model: nn.Module, tokenizer: Callable[..., Mapping[str, Tensor]], source: str) -> None:
        super().__init__()
        self.model, self.tokenizer, self.source = model, tokenizer, source
        self.requires_grad_(False)
        self.features = int(self(["a"]).shape[1])

    @classmethod
    def open(cls, name: str) -> TextEncoder:
        """The network in a folder or on the hub, or the one that `TextEncoder.name` says.

        Raises:
            FileNotFoundError: there is none.
            ValueError: its weights are others than those named, or it reads no text.
        """
        import transformers

        source, sign, _ = name.rpartition("@")
        source = source if sign else name
        # Weights of a name alone: code that a folder or the hub has beside them is not run.
        stored: dict[str, Any] = {"trust_remote_code": False, "local_files_only": network_is_refused()}
        try:
            config = transformers.AutoConfig.from_pretrained(source, **stored)
            kind = "CLIPTextModelWithProjection" if config.model_type == "clip" else "AutoModel"
            model = getattr(transformers, kind).from_pretrained(source, **stored).eval()
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **stored)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise FileNotFoundError(
                f"titles: expected 'words', a folder of weights or a name on the hub, got {source!r} ({reason})"
            ) from None
        try:
            made = cls(model, tokenizer, source)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"titles: expected a network that reads text in {source}, got {error}") from None
        if sign and made.name != name:
            raise ValueError(f"titles: expected the weights of training, {name}, got {made.name}")
        return made

    @property
    def name(self) -> str:
        """Where it comes from, and the first digits of the digest of its weights."""
        weights = sorted(self.model.state_dict().items())
        return f"{self.source}@{sha256_of(*(part for key, value in weights for part in (key, value.numpy())))[:12]}"

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Texts to float32 ``[n, F]``, each row of length 1; an empty text is 0."""
        found = []
        for start in range(0, len(texts), _AT_ONCE):
            some = list(texts[start : start + _AT_ONCE])
            asked = self.tokenizer(some, padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                vectors = _pooled(self.model(**asked), asked["attention_mask"])
            there = torch.tensor([bool(text.strip()) for text in some])
            found.append(nn.functional.normalize(vectors.float(), dim=1) * there[:, None])
        return torch.cat(found).clone()


# Any: what networks of transformers give has no type that all share.
def _pooled(found: Any, mask: Tensor) -> Tensor:
    own: Tensor | None = getattr(found, "text_embeds", None)
    if own is not None:
        return own
    tokens: Tensor = found.last_hidden_state
    weight = mask[..., None].to(tokens.dtype)
    return (tokens * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1)
