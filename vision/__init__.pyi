from .classify.classify import train_classifier as train_classifier
from .classify.judging import predict_photos as predict_photos
from .embed.embedding import embed_catalogue as embed_catalogue
from .generate.comparison import score_generator as score_generator
from .generate.generate import train_generator as train_generator
from .generate.trained import generate_photos as generate_photos
from .locate.locate import train_locator as train_locator
from .search.look_alikes import build_index as build_index
from .search.look_alikes import find_similar as find_similar
from .search.refine import train_similarity as train_similarity

__all__ = [
    "build_index",
    "embed_catalogue",
    "find_similar",
    "generate_photos",
    "predict_photos",
    "score_generator",
    "train_classifier",
    "train_generator",
    "train_locator",
    "train_similarity",
]
