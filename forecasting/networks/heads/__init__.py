"""Emission heads: from a context vector to the values of all series."""

from .diffusion import Diffusion
from .flows import MAF, RealNVP
from .gaussian import Gaussian, LowRankGaussian
from .gaussian_process import GaussianProcess
from .head import DensityHead, EmissionHead, HeadConfig
from .negative_binomial import NegativeBinomial
from .student_t import StudentT

HEADS: dict[str, HeadConfig] = {
    "real-nvp": RealNVP(),
    "maf": MAF(),
    "student-t": StudentT(),
    "gaussian": Gaussian(),
    "low-rank-gaussian": LowRankGaussian(rank=2),
    "gaussian-process": GaussianProcess(rank=2),
    "diffusion": Diffusion(steps=8, layers=2),
}
"""Heads of numbers; `NegativeBinomial`, a head of counts, has laws of its own."""

__all__ = [
    "HEADS",
    "MAF",
    "DensityHead",
    "Diffusion",
    "EmissionHead",
    "Gaussian",
    "GaussianProcess",
    "HeadConfig",
    "LowRankGaussian",
    "NegativeBinomial",
    "RealNVP",
    "StudentT",
]
