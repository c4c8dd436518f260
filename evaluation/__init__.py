"""Windows, scores, backtests, tables and reports for any gluonts estimator or predictor."""

from ..runtime.face import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
