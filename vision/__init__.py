"""Models of pictures: classify, describe and embed articles from their photos."""

from ..runtime.face import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
