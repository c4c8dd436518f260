"""Published models, each a composition of an encoder and a head."""

from __future__ import annotations

from ..networks.encoders.recurrent import Recurrent
from ..networks.encoders.shared import SharedWeights
from ..networks.encoders.transformer import Transformer
from ..networks.heads.diffusion import Diffusion
from ..networks.heads.flows import MAF, RealNVP
from ..networks.heads.gaussian import Gaussian, LowRankGaussian
from ..networks.heads.gaussian_process import GaussianProcess
from ..training.options import TrainConfig
from ..units.ranks import Copula
from .composed import ForecastEstimator


class GRURealNVPEstimator(ForecastEstimator):
    """GRU encoder, RealNVP head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Recurrent("gru")
    default_head = RealNVP()


class GRUMAFEstimator(ForecastEstimator):
    """GRU encoder, masked autoregressive flow head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Recurrent("gru")
    default_head = MAF()


class TransformerMAFEstimator(ForecastEstimator):
    """Causal Transformer encoder, masked autoregressive flow head (Rasul et al. 2021, arXiv 2002.06103)."""

    default_encoder = Transformer()
    default_head = MAF()


class LSTMRealNVPEstimator(ForecastEstimator):
    """LSTM encoder, RealNVP head."""

    default_encoder = Recurrent("lstm")
    default_head = RealNVP()


class LSTMMAFEstimator(ForecastEstimator):
    """LSTM encoder, masked autoregressive flow head."""

    default_encoder = Recurrent("lstm")
    default_head = MAF()


JOINT_NORMAL = TrainConfig(batch_size=16)
"""Batches as in Salinas et al. (2019): ranks, and an LSTM a series, make a window dear."""


class VecLSTMIndependentEstimator(ForecastEstimator):
    """LSTM encoder, independent Gaussian series (Vec-LSTM ind-scaling, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = Recurrent("lstm")
    default_head = Gaussian()


class VecLSTMCopulaEstimator(ForecastEstimator):
    """LSTM encoder, low-rank Gaussian copula (Vec-LSTM lowrank-Copula, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = Recurrent("lstm")
    default_head = LowRankGaussian()
    default_scaling = Copula()
    default_train = JOINT_NORMAL


class GPScalingEstimator(ForecastEstimator):
    """One LSTM for all series, Gaussian process over them (GP scaling, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = SharedWeights(Recurrent("lstm"), sample=20)
    default_head = GaussianProcess()
    default_train = JOINT_NORMAL


class GPCopulaEstimator(ForecastEstimator):
    """One LSTM for all series, Gaussian process over their ranks (GP-Copula, Salinas et al. 2019, arXiv 1910.03002)."""

    default_encoder = SharedWeights(Recurrent("lstm"), sample=20)
    default_head = GaussianProcess()
    default_scaling = Copula()
    default_train = JOINT_NORMAL


class TimeGradEstimator(ForecastEstimator):
    """GRU encoder, diffusion head (TimeGrad, Rasul et al. 2021, arXiv 2101.12072)."""

    default_encoder = Recurrent("gru")
    default_head = Diffusion()
