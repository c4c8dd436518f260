from .classify.classify import predict_photos as predict_photos
from .classify.classify import train_classifier as train_classifier
from .embed.embedding import embed_catalogue as embed_catalogue

__all__ = [
    "embed_catalogue",
    "predict_photos",
    "train_classifier",
]
