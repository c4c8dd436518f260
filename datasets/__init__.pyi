from .benchmarks.orange_juice import dominicks_oj as dominicks_oj
from .entries.data import ForecastData as ForecastData
from .entries.data import Metadata as Metadata
from .entries.entry import Entry as Entry
from .hierarchies.hierarchy import Hierarchy as Hierarchy
from .hierarchies.totals import aggregate as aggregate
from .pictures.catalogue import read_catalogue as read_catalogue
from .pictures.joining import join_article_vectors as join_article_vectors
from .pictures.vectors import read_article_vectors as read_article_vectors
from .purchases.reading import read_purchases as read_purchases
from .registry import DATASETS as DATASETS
from .registry import get_dataset as get_dataset
from .simulated.customers import simulated_purchases as simulated_purchases
from .simulated.sales import simulated_sales as simulated_sales
from .simulated.shop import SimulatedShop as SimulatedShop
from .simulated.shop import simulated_shop as simulated_shop
from .simulated.shop_truth import ShopTruth as ShopTruth
from .simulated.truth import SalesTruth as SalesTruth
from .tables.frames import from_frame as from_frame
from .tables.sales_table import from_sales as from_sales

__all__ = [
    "Entry",
    "ForecastData",
    "Hierarchy",
    "aggregate",
    "from_frame",
    "from_sales",
    "get_dataset",
    "join_article_vectors",
    "read_article_vectors",
    "read_catalogue",
    "read_purchases",
    "simulated_purchases",
    "simulated_sales",
    "simulated_shop",
]
