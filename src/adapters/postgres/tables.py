"""The tables as SQLAlchemy Core sees them. ``migrations/`` makes them; a test compares the two."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)

metadata: Final = MetaData(schema="proffer")


def _id(name: str, *, primary: bool = False, nullable: bool = False) -> Column[object]:
    return Column(name, Uuid(as_uuid=True), primary_key=primary, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Text, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _integer(name: str, *, primary: bool = False) -> Column[object]:
    return Column(name, Integer, primary_key=primary, nullable=False, autoincrement=False)


def _number(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Numeric, nullable=nullable)


def _flag(name: str) -> Column[object]:
    return Column(name, Boolean, nullable=False)


def _day(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Date, nullable=nullable)


organizations: Final = Table(
    "organizations",
    metadata,
    _id("organization_id", primary=True),
    _text("slug"),
    _text("party"),
    _text("default_currency"),
    _text("time_zone"),
    _text("locale"),
    _text("settings"),
    _text("prices_include_tax", nullable=True),
    _instant("created_at"),
    _integer("version"),
)
users: Final = Table(
    "users",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("email"),
    _text("name"),
    _text("role"),
    _text("password_hash"),
    _flag("active"),
    _instant("created_at"),
    _integer("version"),
)
sessions: Final = Table(
    "sessions",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("user_id"),
    _instant("created_at"),
    _instant("expires_at"),
    _integer("version"),
)
customers: Final = Table(
    "customers",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("name"),
    _text("registration_number"),
    _text("vat_number"),
    _text("address"),
    _text("currency"),
    _text("locale"),
    _text("searched"),
    _instant("created_at"),
    _integer("version"),
    _id("group_id", nullable=True),
)
contacts: Final = Table(
    "contacts",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("customer_id"),
    _text("name"),
    _text("email"),
    _text("phone"),
    _text("job_title"),
    _text("searched"),
    _instant("created_at"),
    _integer("version"),
)
products: Final = Table(
    "products",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("sku"),
    _text("name"),
    _text("description"),
    _text("unit"),
    _number("list_price"),
    _text("currency"),
    _text("tax_category"),
    _number("tax_rate_percent", nullable=True),
    _text("searched"),
    _instant("created_at"),
    _integer("version"),
    _id("tax_rate_id", nullable=True),
    _number("cost", nullable=True),
    _id("category_id", nullable=True),
    _flag("archived"),
)
categories: Final = Table(
    "categories",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("name"),
    _id("parent_id", nullable=True),
    _instant("created_at"),
    _integer("version"),
)
tax_rates: Final = Table(
    "tax_rates",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("code"),
    _text("name"),
    _text("category"),
    _text("exemption_code"),
    _number("surcharge_percent", nullable=True),
    _flag("retained"),
    _text("periods"),
    _instant("created_at"),
    _integer("version"),
)
customer_groups: Final = Table(
    "customer_groups",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("name"),
    _number("discount_percent"),
    _instant("created_at"),
    _integer("version"),
)
price_lists: Final = Table(
    "price_lists",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("name"),
    _text("currency"),
    _text("scope"),
    _id("scope_id", nullable=True),
    _day("valid_from", nullable=True),
    _day("valid_until", nullable=True),
    _integer("priority"),
    _flag("active"),
    _id("tiers_from", nullable=True),
    _text("searched"),
    _instant("created_at"),
    _integer("version"),
)
prices: Final = Table(
    "prices",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("price_list_id"),
    _id("product_id", nullable=True),
    _id("category_id", nullable=True),
    _text("unit", nullable=True),
    _text("tiers"),
    _instant("created_at"),
    _integer("version"),
)
coupons: Final = Table(
    "coupons",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("code"),
    _number("percent", nullable=True),
    _number("amount", nullable=True),
    _text("currency", nullable=True),
    _number("minimum", nullable=True),
    _day("valid_from", nullable=True),
    _day("valid_until", nullable=True),
    Column("total_limit", Integer, nullable=True),
    Column("customer_limit", Integer, nullable=True),
    _text("product_ids"),
    _text("category_ids"),
    _flag("active"),
    _text("searched"),
    _instant("created_at"),
    _integer("version"),
)
coupon_redemptions: Final = Table(
    "coupon_redemptions",
    metadata,
    _id("organization_id", primary=True),
    _id("coupon_id", primary=True),
    _id("quote_id", primary=True),
    _id("customer_id"),
    _instant("at"),
)
exchange_rates: Final = Table(
    "exchange_rates",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("base"),
    _text("target"),
    _number("rate"),
    _text("source"),
    _day("as_of"),
    _instant("created_at"),
    _integer("version"),
)
imports: Final = Table(
    "imports",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("kind"),
    _text("mode"),
    _flag("dry_run"),
    _text("file_name"),
    _text("sha256"),
    _text("storage_key"),
    _id("created_by"),
    _instant("created_at"),
    _text("status"),
    _integer("last_row"),
    _integer("created"),
    _integer("updated"),
    _integer("skipped"),
    _text("errors"),
    _integer("version"),
)
quote_explanations: Final = Table(
    "quote_explanations",
    metadata,
    _id("organization_id", primary=True),
    _id("quote_id", primary=True),
    _integer("revision", primary=True),
    Column("digest", Text, primary_key=True, nullable=False),
    _text("explanation"),
)
quote_counters: Final = Table(
    "quote_counters",
    metadata,
    _id("organization_id", primary=True),
    _integer("year", primary=True),
    _integer("counter"),
)
# From ``revision`` on: the current revision once more, so that a list reads one table by one index.
quotes: Final = Table(
    "quotes",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("number"),
    _id("customer_id"),
    _id("owner_id"),
    _instant("created_at"),
    _integer("version"),
    _integer("revision"),
    _text("status"),
    _text("title"),
    _text("customer_name"),
    _text("currency"),
    _number("total_without_tax"),
    _number("tax_total"),
    _number("payable"),
    _day("valid_until"),
    _text("searched"),
)
quote_revisions: Final = Table(
    "quote_revisions",
    metadata,
    _id("organization_id", primary=True),
    _id("quote_id", primary=True),
    _integer("number", primary=True),
    _text("status"),
    _text("content"),
    _text("calculation"),
    _text("content_digest", nullable=True),
    _instant("created_at"),
    _id("last_edited_by"),
    _id("submitted_by", nullable=True),
    _instant("submitted_at", nullable=True),
    _instant("sent_at", nullable=True),
    _text("end_reason"),
    _text("explanation_digest", nullable=True),
)
line_items: Final = Table(
    "line_items",
    metadata,
    _id("organization_id", primary=True),
    _id("quote_id", primary=True),
    _integer("revision", primary=True),
    _integer("position", primary=True),
    _id("id"),
    _id("product_id", nullable=True),
    _text("sku"),
    _text("description"),
    _text("unit"),
    _number("quantity"),
    _number("unit_price"),
    _number("price_base_quantity"),
    _text("discounts"),
    _text("charges"),
    _text("taxes"),
    _number("net"),
    _flag("optional"),
    _flag("chosen"),
    _text("section"),
    _number("unit_cost", nullable=True),
    _text("price_source"),
    _flag("taxes_typed"),
)
approval_policies: Final = Table(
    "approval_policies",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _text("name"),
    _integer("order"),
    _text("conditions"),
    _text("steps"),
    _flag("active"),
    _instant("created_at"),
    _integer("version"),
)
approval_requests: Final = Table(
    "approval_requests",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("quote_id"),
    _integer("revision"),
    _text("content_digest"),
    _id("submitted_by"),
    _id("last_edited_by"),
    _text("facts"),
    _text("steps"),
    _text("status"),
    _instant("created_at"),
    _integer("version"),
)
stored_documents: Final = Table(
    "stored_documents",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("quote_id"),
    _integer("revision"),
    _text("content_digest"),
    _text("sha256"),
    Column("size", BigInteger, nullable=False),
    _text("storage_key"),
    _instant("created_at"),
    _integer("version"),
)
messages: Final = Table(
    "messages",
    metadata,
    _id("organization_id", primary=True),
    _id("id", primary=True),
    _id("quote_id"),
    _integer("revision"),
    _text("recipient"),
    _text("recipient_name"),
    _text("note"),
    _text("status"),
    _text("answer"),
    _instant("created_at"),
    _integer("version"),
)
audit_heads: Final = Table(
    "audit_heads",
    metadata,
    _id("organization_id", primary=True),
    Column("sequence", BigInteger, nullable=False),
    _text("hash"),
)
audit_entries: Final = Table(
    "audit_entries",
    metadata,
    _id("organization_id", primary=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _instant("at"),
    _text("action"),
    _text("resource_type"),
    _id("resource_id"),
    _text("actor_kind"),
    _id("user_id", nullable=True),
    _text("text"),
    _text("previous_hash"),
    _text("hash"),
)
