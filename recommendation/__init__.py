"""Models of customers and articles: who will buy what, and what is like what."""

from ..runtime.face import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
