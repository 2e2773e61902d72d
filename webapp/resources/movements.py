"""The declarations of stock coming in and going out."""

from dataclasses import replace

from webapp.models import INFLOW_KINDS, OUTFLOW_KINDS, Inflow, Outflow
from webapp.resources.base import N_, Field, Resource
from webapp.resources.catalogue import DESCRIPTION
from webapp.resources.types import Choice, DateTime, Integer, Money, Reference, Text

INFLOW_LABELS = (N_("Purchase"), N_("Opening stock"), N_("Adjustment"))
OUTFLOW_LABELS = (N_("Sale"), N_("Adjustment"))


def _reference(example: str) -> Field:
    return Field(
        "reference",
        N_("Reference"),
        Text(),
        searchable=True,
        sortable=True,
        help=N_("The document's number. Without one the movement gets a number of its own."),
        aliases=("order id", "order", "order number", "invoice", "invoice no", "document", "ref"),
        example=example,
    )


PRODUCT = Field(
    "product",
    N_("Product"),
    Reference(resource="products"),
    required=True,
    sortable=True,
    help=N_("The product's serial number."),
    aliases=("serial number", "sku", "product id", "stock code", "ean", "barcode"),
    example="SKU-00123",
)

QUANTITY = Field(
    "quantity",
    N_("Quantity"),
    Integer(minimum=1),
    required=True,
    sortable=True,
    aliases=("qty", "units", "pieces", "qtd", "qtde"),
    example="12",
)

UNIT_COST = Field(
    "unit_cost",
    N_("Unit cost"),
    Money(),
    sortable=True,
    help=N_("The product's cost price when left empty."),
    aliases=("cost", "cost price"),
    example="2.50",
)

NOTE = replace(DESCRIPTION, in_list=False)

REASON = Field("reason", N_("Reason"), Text(), in_list=False, example=N_("Yearly count"))

OCCURRED_AT = Field(
    "occurred_at",
    N_("Date"),
    DateTime(),
    sortable=True,
    help=N_("Now when left empty."),
    aliases=("date", "order date", "invoice date", "when", "datetime", "data"),
    example="2026-01-31 14:30",
)

INFLOWS = Resource(
    name="inflows",
    label=N_("Inflow"),
    label_plural=N_("Inflows"),
    icon="arrow-down-left",
    group=N_("Stock"),
    model=Inflow,
    key=("reference", "product"),
    reference_field="reference",
    title_field="reference",
    order_by=("-occurred_at",),
    fields=(
        _reference("PO-2026-0042"),
        PRODUCT,
        Field(
            "supplier",
            N_("Supplier"),
            Reference(resource="suppliers"),
            sortable=True,
            aliases=("supplier name", "vendor", "company", "fornecedor"),
            example=N_("Northern Foods Ltd"),
        ),
        QUANTITY,
        UNIT_COST,
        Field("kind", N_("Kind"), Choice(options=INFLOW_KINDS, labels=INFLOW_LABELS), example="purchase"),
        REASON,
        NOTE,
        OCCURRED_AT,
    ),
)

OUTFLOWS = Resource(
    name="outflows",
    label=N_("Outflow"),
    label_plural=N_("Outflows"),
    icon="arrow-up-right",
    group=N_("Stock"),
    model=Outflow,
    key=("reference", "product"),
    reference_field="reference",
    title_field="reference",
    order_by=("-occurred_at",),
    fields=(
        _reference("INV-2026-0107"),
        PRODUCT,
        QUANTITY,
        Field(
            "unit_price",
            N_("Unit price"),
            Money(),
            sortable=True,
            help=N_("The product's sell price when left empty."),
            aliases=("price", "sell price", "sale price", "preço", "valor"),
            example="4.90",
        ),
        UNIT_COST,
        Field("kind", N_("Kind"), Choice(options=OUTFLOW_KINDS, labels=OUTFLOW_LABELS), example="sale"),
        REASON,
        NOTE,
        OCCURRED_AT,
    ),
)
