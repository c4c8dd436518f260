"""Where numbers and pictures come from: benchmarks, frames, simulators."""

from ..runtime.face import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
