"""Emission heads: from a context vector to the values of all series."""

from .flows import MAF, RealNVP
from .head import DensityHead, EmissionHead, HeadConfig
from .student_t import StudentT

HEADS: dict[str, HeadConfig] = {
    "real-nvp": RealNVP(),
    "maf": MAF(),
    "student-t": StudentT(),
}

__all__ = ["HEADS", "MAF", "DensityHead", "EmissionHead", "HeadConfig", "RealNVP", "StudentT"]
