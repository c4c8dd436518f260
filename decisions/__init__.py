"""What to do with a forecast: orders for articles, from joint sample paths."""

from ..runtime.face import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
