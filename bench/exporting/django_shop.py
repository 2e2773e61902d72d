"""``python django_shop.py sqlite FILE`` or ``postgresql FOLDER``: all products by django-import-export.

A program of the peers' environment, not of ours. Its models are the same tables of the same database.
"""

import json
import sys
import time
from typing import Any

import django
from django.conf import settings

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql"}


def make_model(name: str, table: str, /, **columns: Any) -> Any:
    """Return a model of a table that exists."""
    from django.db import models  # noqa: PLC0415 - Django must be set up first

    meta = type("Meta", (), {"db_table": table, "managed": False, "app_label": "shop"})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **columns})


def main(kind: str, place: str) -> None:
    """Export, and print rows and seconds."""
    database = {"ENGINE": f"django.db.backends.{ENGINES[kind]}", "NAME": place}
    if kind == "postgresql":
        database |= {"NAME": "postgres", "USER": "postgres", "HOST": place}
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["import_export"], USE_TZ=True)
    django.setup()
    from django.db import models  # noqa: PLC0415 - as above
    from import_export import fields, resources  # noqa: PLC0415 - as above

    def text() -> Any:
        return models.TextField(null=True)

    def link(target: Any) -> Any:
        return models.ForeignKey(target, models.DO_NOTHING, null=True)

    def amount() -> Any:
        return models.DecimalField(max_digits=19, decimal_places=4)

    category = make_model("Category", "category", name=text())
    brand = make_model("Brand", "brand", name=text())
    model = make_model("ProductModel", "product_model", name=text(), brand=link(brand))
    product = make_model(
        "Product",
        "product",
        serial_number=text(),
        title=text(),
        description=text(),
        category=link(category),
        product_model=link(model),
        cost_price=amount(),
        sell_price=amount(),
        quantity=models.IntegerField(),
        reorder_level=models.IntegerField(),
    )
    names = "serial_number title description category brand product_model cost_price sell_price quantity reorder_level"
    paths = {
        "category": "category__name",
        "brand": "product_model__brand__name",
        "product_model": "product_model__name",
    }
    declared = {name: fields.Field(attribute=path, column_name=name) for name, path in paths.items()}
    meta = type("Meta", (), {"model": product, "fields": names.split(), "export_order": names.split()})
    resource = type("ProductResource", (resources.ModelResource,), {**declared, "Meta": meta})()
    started = time.perf_counter()
    rows = product.objects.select_related("category", "product_model__brand").order_by("title", "id")
    written = resource.export(rows).csv
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "rows": written.count("\r\n") - 1}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
