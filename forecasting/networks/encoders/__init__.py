"""Causal encoders of the past: unrolled equals step by step."""

from .encoder import Encoder, EncoderConfig
from .recurrent import Recurrent
from .shared import SharedWeights
from .transformer import Transformer

ENCODERS: dict[str, EncoderConfig] = {
    "gru": Recurrent("gru"),
    "lstm": Recurrent("lstm"),
    "transformer": Transformer(),
    "shared-lstm": SharedWeights(Recurrent("lstm")),
}

__all__ = ["ENCODERS", "Encoder", "EncoderConfig", "Recurrent", "SharedWeights", "Transformer"]
