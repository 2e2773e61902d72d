"""``python django_shop.py sqlite FILE|postgresql FOLDER FILES``: the same by django-import-export.

A program of the peers' environment, not of ours, with tables of its own: references by natural keys, a
signal a saved movement that changes the stock, every bad row reported with its line and the others saved.
"""

import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql"}


def make_model(name: str, natural: tuple[str, ...], /, **columns: Any) -> Any:
    """Return a model, and let its manager find a record by its natural key."""
    from django.db import models  # noqa: PLC0415 - Django must be set up first

    class NaturalManager(models.Manager):
        def get_by_natural_key(self, *key: str) -> Any:
            return self.get(**dict(zip(natural, key, strict=True)))

    meta = type(
        "Meta",
        (),
        {"db_table": f"peer_{name.lower()}", "app_label": "import_export", "unique_together": [natural]},
    )
    return type(
        name, (models.Model,), {"__module__": __name__, "Meta": meta, "objects": NaturalManager(), **columns}
    )


def make_models() -> dict[str, Any]:
    """Return the models of the shop, in the order of their references."""
    from django.db import models  # noqa: PLC0415 - as above

    def text() -> Any:
        return models.CharField(max_length=255)

    def link(target: Any, **options: Any) -> Any:
        return models.ForeignKey(target, models.PROTECT, **options)

    def amount() -> Any:
        return models.DecimalField(max_digits=19, decimal_places=4)

    category = make_model("Category", ("name",), name=text())
    brand = make_model("Brand", ("name",), name=text())
    model = make_model("ProductModel", ("name",), name=text(), brand=link(brand))
    product = make_model(
        "Product",
        ("serial_number",),
        serial_number=text(),
        title=models.CharField(max_length=255, db_index=True),
        category=link(category),
        product_model=link(model, null=True),
        cost_price=amount(),
        sell_price=amount(),
        quantity=models.IntegerField(default=1_000_000),
        reorder_level=models.IntegerField(),
    )
    outflow = make_model(
        "Outflow",
        ("reference", "product"),
        reference=text(),
        product=link(product),
        quantity=models.IntegerField(),
        unit_price=amount(),
        unit_cost=amount(),
        occurred_at=models.DateTimeField(db_index=True),
    )
    return {
        "Category": category,
        "Brand": brand,
        "ProductModel": model,
        "Product": product,
        "Outflow": outflow,
    }


def listen(outflow: Any, product: Any) -> None:
    """Change the stock with every saved movement, and refuse what is not there."""
    from django.core.exceptions import ValidationError  # noqa: PLC0415 - as above
    from django.db.models import F  # noqa: PLC0415 - as above
    from django.db.models.signals import post_save, pre_save  # noqa: PLC0415 - as above

    def weigh(instance: Any, **_: Any) -> None:
        if instance.quantity > instance.product.quantity:
            raise ValidationError(f"Only {instance.product.quantity} are left.")

    def move(instance: Any, *, created: bool, **_: Any) -> None:
        if created:
            product.objects.filter(pk=instance.product_id).update(quantity=F("quantity") - instance.quantity)

    pre_save.connect(weigh, outflow, weak=False)
    post_save.connect(move, outflow, weak=False)


def make_resources(models: dict[str, Any]) -> dict[str, Any]:
    """Return the importers of products and of movements."""
    from import_export import fields, resources, widgets  # noqa: PLC0415 - as above

    def link(name: str, target: str, key: str) -> Any:
        widget = widgets.ForeignKeyWidget(models[target], key)
        return fields.Field(column_name=name, attribute=name, widget=widget)

    def make(model: Any, key: tuple[str, ...], names: str, **declared: Any) -> Any:
        options = {"model": model, "import_id_fields": key, "fields": names.split(), "use_transactions": True}
        meta = type("Meta", (), options)
        return type(f"{model.__name__}Resource", (resources.ModelResource,), {**declared, "Meta": meta})()

    return {
        "products": make(
            models["Product"],
            ("serial_number",),
            "serial_number title category product_model cost_price sell_price reorder_level",
            category=link("category", "Category", "name"),
            product_model=link("product_model", "ProductModel", "name"),
        ),
        "outflows": make(
            models["Outflow"],
            ("reference", "product"),
            "reference product quantity unit_price unit_cost occurred_at",
            product=link("product", "Product", "serial_number"),
        ),
    }


def fill_parents(models: dict[str, Any], folder: Path) -> None:
    """Save what products refer to."""
    for file, name in (("categories", "Category"), ("brands", "Brand")):
        for row in read(folder / f"{file}.csv"):
            models[name].objects.create(**row)
    for row in read(folder / "product_models.csv"):
        brand = models["Brand"].objects.get_by_natural_key(row["brand"])
        models["ProductModel"].objects.create(name=row["name"], brand=brand)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def import_file(resource: Any, path: Path) -> dict[str, Any]:
    """Import a file and return how its rows ended and the seconds."""
    import tablib  # noqa: PLC0415 - as above

    started = time.perf_counter()
    rows = tablib.Dataset().load(path.read_text(encoding="utf-8"), format="csv")
    result = resource.import_data(rows, raise_errors=False)
    seconds = time.perf_counter() - started
    errors = [str(item.error) for _, row in result.row_errors() for item in row]
    if len(errors) > len(rows) // 2:
        sys.exit(f"django-import-export cannot: {errors[0]}")
    return {
        "seconds": seconds,
        "created": result.totals["new"],
        "failed": len(errors) + len(result.invalid_rows),
    }


def main(kind: str, place: str, folder: str) -> None:
    """Import products, then outflows."""
    database = {"ENGINE": f"django.db.backends.{ENGINES[kind]}", "NAME": place}
    if kind == "postgresql":
        database |= {"NAME": "postgres", "USER": "postgres", "HOST": place}
    settings.configure(
        DATABASES={"default": database}, INSTALLED_APPS=["import_export"], USE_TZ=True, TIME_ZONE="UTC"
    )
    django.setup()
    from django.db import connection  # noqa: PLC0415 - as above

    models = make_models()
    with connection.schema_editor() as editor:
        for model in models.values():
            editor.create_model(model)
    listen(models["Outflow"], models["Product"])
    fill_parents(models, Path(folder))
    for name, resource in make_resources(models).items():
        print(
            json.dumps({"resource": name, **import_file(resource, Path(folder, f"{name}.csv"))}),
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
