from .classify.classify import predict_photos as predict_photos
from .classify.classify import train_classifier as train_classifier
from .embed.embedding import embed_catalogue as embed_catalogue
from .locate.locate import train_locator as train_locator
from .search.look_alikes import build_index as build_index
from .search.look_alikes import find_similar as find_similar
from .search.refine import train_similarity as train_similarity

__all__ = [
    "build_index",
    "embed_catalogue",
    "find_similar",
    "predict_photos",
    "train_classifier",
    "train_locator",
    "train_similarity",
]
