from .markdowns.plan import MarkdownPlan as MarkdownPlan
from .markdowns.planning import plan_markdowns as plan_markdowns
from .orders.plan import OrderPlan as OrderPlan
from .orders.plan import order_quantities as order_quantities
from .orders.shared import shared_stock as shared_stock

__all__ = ["order_quantities", "plan_markdowns", "shared_stock"]
