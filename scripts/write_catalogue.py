"""Writes ``examples/catalogue``: 200 products with tiers in two price lists: ``python scripts/write_catalogue.py``."""

import csv
from decimal import Decimal
from pathlib import Path

TARGET = Path(__file__).parents[1] / "examples" / "catalogue"

# Kind, category path, unit, price of the plainest, cost as a share of the price.
KINDS = (
    ("DESK", "Desk", "Furniture > Desks", "C62", "289", "0.58"),
    ("TABLE", "Meeting table", "Furniture > Tables", "C62", "465", "0.61"),
    ("CHAIR", "Swivel chair", "Furniture > Chairs", "C62", "215.50", "0.55"),
    ("STOOL", "Stool", "Furniture > Chairs", "C62", "79.90", "0.52"),
    ("SHELF", "Shelf", "Furniture > Storage", "C62", "124", "0.57"),
    ("LAMP", "Desk lamp", "Lighting > Lamps", "C62", "64.25", "0.5"),
    ("PANEL", "Acoustic panel", "Acoustics > Panels", "MTK", "88.40", "0.49"),
    ("CABLE", "Cable tray", "Accessories > Cables", "MTR", "12.35", "0.44"),
    ("ASSEMBLY", "Assembly", "Services > On site", "HUR", "72", "0.7"),
    ("PLAN", "Room planning", "Services > Planning", "HUR", "95", "0.68"),
)
FINISHES = ("oak", "ash", "walnut", "white", "black")
SIZES = ("S", "M", "L", "XL")


def products() -> list[dict[str, str]]:
    rows = []
    for code, name, category, unit, price, share in KINDS:
        for size_number, size in enumerate(SIZES):
            for finish_number, finish in enumerate(FINISHES):
                # Each size costs a fifth more, each finish two per cent.
                list_price = (Decimal(price) * (100 + 20 * size_number + 2 * finish_number) / 100).quantize(
                    Decimal("0.01")
                )
                rows.append(
                    {
                        "sku": f"{code}-{size}-{finish.upper()}",
                        "name": f"{name} {size}, {finish}",
                        "description": f"{name}, size {size}, in {finish}.",
                        "unit": unit,
                        "list_price": str(list_price),
                        "cost": str((list_price * Decimal(share)).quantize(Decimal("0.01"))),
                        "category": category,
                        "tax_rate": "VAT-STANDARD",
                    }
                )
    return rows


def prices() -> list[dict[str, str]]:
    """«Volume»: from 10 and from 50 on. «Resellers»: less for every category, and fixed prices for desks."""
    rows = []
    for product in products():
        price = Decimal(product["list_price"])
        for start, off in (("10", "5"), ("50", "12")):
            unit_price = (price * (100 - Decimal(off)) / 100).quantize(Decimal("0.01"))
            rows.append(
                {
                    "price_list": "Volume",
                    "sku": product["sku"],
                    "category": "",
                    "min_quantity": start,
                    "below": "50" if start == "10" else "",
                    "unit_price": str(unit_price),
                    "discount_percent": "",
                }
            )
    for category, off in (("Furniture", "18"), ("Lighting", "22"), ("Acoustics", "15")):
        row = {"price_list": "Resellers", "sku": "", "category": category, "min_quantity": "0", "below": ""}
        rows.append(row | {"unit_price": "", "discount_percent": off})
    for product in products():
        if product["sku"].startswith("DESK-"):
            price = (Decimal(product["list_price"]) * Decimal("0.75")).quantize(Decimal("0.01"))
            row = {"price_list": "Resellers", "sku": product["sku"], "category": "", "min_quantity": "5", "below": ""}
            rows.append(row | {"unit_price": str(price), "discount_percent": ""})
    return rows


def exchange_rates() -> list[dict[str, str]]:
    days = ("2026-01-02", "2026-07-01", "2026-11-20")
    rates = {"USD": ("0.9213", "0.9187", "0.9254"), "CHF": ("1.0642", "1.0588", "1.0711")}
    return [
        {"base": base, "target": "EUR", "rate": rate, "as_of": day, "source": "Treasury"}
        for base, several in rates.items()
        for day, rate in zip(days, several, strict=True)
    ]


FILES = {"products.csv": products, "prices.csv": prices, "exchange-rates.csv": exchange_rates}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        rows = make()
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    write(TARGET)
    print(f"{len(products())} products, {len(prices())} tiers and {len(exchange_rates())} rates written.")
