"""The declaration of what a file of a stock count holds. No record is kept of it: it becomes movements."""

from webapp.models import Inflow
from webapp.resources.base import N_, Field, Resource
from webapp.resources.movements import PRODUCT, REASON
from webapp.resources.types import Integer

STOCK_COUNTS = Resource(
    name="stock_counts",
    label=N_("Stock count"),
    label_plural=N_("Stock counts"),
    icon="scale",
    group=N_("Stock"),
    model=Inflow,  # where more was counted than there should be; where less, an Outflow
    has_records=False,
    key=("product",),
    reference_field="product",
    title_field="product",
    order_by=(),
    fields=(
        PRODUCT,
        Field(
            "counted",
            N_("Counted"),
            Integer(minimum=0),
            required=True,
            help=N_("So many pieces are there. The difference to the stock is recorded as a correction."),
            aliases=(
                *("quantity", "qty", "count", "counted quantity", "stock", "on hand", "pieces", "units"),
                *("contagem", "contado", "quantidade", "qtd", "qtde", "estoque"),
            ),
            example="118",
        ),
        REASON,
    ),
)
