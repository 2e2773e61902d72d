"""The declarations of the goods: categories, brands, models, suppliers, products."""

from webapp.models import Brand, Category, Product, ProductModel, Supplier
from webapp.resources.base import N_, Field, Resource
from webapp.resources.types import Email, Integer, Money, Reference, Text

LONG_TEXT = Text(max_length=10_000, multiline=True)

DESCRIPTION = Field(
    "description",
    N_("Description"),
    LONG_TEXT,
    aliases=("notes", "details", "comments"),
    example=N_("Anything worth knowing"),
)


def _name(example: str, aliases: tuple[str, ...]) -> Field:
    return Field(
        "name",
        N_("Name"),
        Text(),
        required=True,
        searchable=True,
        sortable=True,
        aliases=aliases,
        example=example,
    )


CATEGORIES = Resource(
    name="categories",
    label=N_("Category"),
    label_plural=N_("Categories"),
    icon="category",
    group=N_("Catalogue"),
    model=Category,
    key=("name",),
    reference_field="name",
    title_field="name",
    order_by=("name",),
    fields=(
        _name(N_("Beverages"), ("category", "category name", "title")),
        DESCRIPTION,
    ),
)

BRANDS = Resource(
    name="brands",
    label=N_("Brand"),
    label_plural=N_("Brands"),
    icon="tag",
    group=N_("Catalogue"),
    model=Brand,
    key=("name",),
    reference_field="name",
    title_field="name",
    order_by=("name",),
    fields=(
        _name("Acme", ("brand", "brand name", "manufacturer", "maker")),
        DESCRIPTION,
    ),
)

PRODUCT_MODELS = Resource(
    name="product_models",
    label=N_("Model"),
    label_plural=N_("Models"),
    icon="versions",
    group=N_("Catalogue"),
    model=ProductModel,
    key=("brand", "name"),
    reference_field="name",
    title_field="name",
    order_by=("name",),
    fields=(
        Field(
            "brand",
            N_("Brand"),
            Reference(resource="brands"),
            required=True,
            sortable=True,
            aliases=("brand name", "manufacturer", "maker"),
            example="Acme",
        ),
        _name("A-100", ("model", "model name", "product model")),
        DESCRIPTION,
    ),
)

SUPPLIERS = Resource(
    name="suppliers",
    label=N_("Supplier"),
    label_plural=N_("Suppliers"),
    icon="truck-delivery",
    model=Supplier,
    key=("name",),
    reference_field="name",
    title_field="name",
    order_by=("name",),
    fields=(
        _name(N_("Northern Foods Ltd"), ("supplier", "supplier name", "company", "company name", "vendor")),
        Field(
            "email",
            N_("E-mail"),
            Email(),
            searchable=True,
            aliases=("mail", "e-mail address", "email address"),
            example="orders@northern.example",
        ),
        Field(
            "phone",
            N_("Phone"),
            Text(max_length=50),
            searchable=True,
            aliases=("telephone", "phone number", "tel"),
            example="+44 20 7946 0000",
        ),
        DESCRIPTION,
    ),
)

PRODUCTS = Resource(
    name="products",
    label=N_("Product"),
    label_plural=N_("Products"),
    icon="package",
    model=Product,
    key=("serial_number",),
    reference_field="serial_number",
    title_field="title",
    order_by=("title",),
    fields=(
        Field(
            "serial_number",
            N_("Serial number"),
            Text(),
            required=True,
            searchable=True,
            sortable=True,
            help=N_("What identifies the product: its SKU, EAN or serial number."),
            aliases=("sku", "ean", "barcode", "code", "product id", "product code", "stock code", "serial"),
            example="SKU-00123",
        ),
        Field(
            "title",
            N_("Title"),
            Text(),
            required=True,
            searchable=True,
            sortable=True,
            aliases=("name", "product", "product name", "item", "nome", "produto", "nome do produto"),
            example=N_("Green tea, 20 bags"),
        ),
        Field(
            "description",
            N_("Description"),
            LONG_TEXT,
            in_list=False,
            aliases=("notes", "details", "quantity per unit"),
            example=N_("Anything worth knowing"),
        ),
        Field(
            "category",
            N_("Category"),
            Reference(resource="categories"),
            required=True,
            sortable=True,
            aliases=("category name", "category id", "group"),
            example=N_("Beverages"),
        ),
        Field(
            "brand",
            N_("Brand"),
            Reference(resource="brands"),
            readonly=True,
            path=("product_model", "brand"),
            help=N_("The brand of its model; in a file it decides between models of equal names."),
            aliases=("brand name", "manufacturer", "maker"),
            example="Acme",
        ),
        Field(
            "product_model",
            N_("Model"),
            Reference(resource="product_models", scope="brand"),
            sortable=True,
            aliases=("model", "model name"),
            example="A-100",
        ),
        Field(
            "cost_price",
            N_("Cost price"),
            Money(),
            required=True,
            sortable=True,
            aliases=("cost", "purchase price", "buy price", "custo", "preço de compra"),
            example="2.50",
        ),
        Field(
            "sell_price",
            N_("Sell price"),
            Money(),
            required=True,
            sortable=True,
            aliases=(
                "price",
                "unit price",
                "sale price",
                "selling price",
                "preço",
                "valor",
                "preço unitário",
            ),
            example="4.90",
        ),
        Field(
            "quantity",
            N_("Quantity"),
            Integer(minimum=0),
            sortable=True,
            help=N_("A new product's opening stock. Later it changes through movements alone."),
            aliases=("stock", "units in stock", "qty", "on hand", "in stock", "qtd", "qtde", "estoque"),
            example="120",
        ),
        Field(
            "reorder_level",
            N_("Reorder level"),
            Integer(minimum=0),
            sortable=True,
            help=N_("At this quantity or less the product counts as low."),
            aliases=("minimum stock", "min stock", "reorder point"),
            example="20",
        ),
    ),
)
