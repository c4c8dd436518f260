from .contract.recommender import FittedRecommender as FittedRecommender
from .contract.recommender import Recommender as Recommender
from .contract.stored import load_recommender as load_recommender
from .contract.stored import save_recommender as save_recommender
from .registry import build_recommender as build_recommender

__all__ = ["build_recommender", "load_recommender"]
