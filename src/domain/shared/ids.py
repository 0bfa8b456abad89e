"""Identifiers: UUIDs (version 7, made by the application), one type for each kind of thing."""

from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
CustomerId = NewType("CustomerId", UUID)
ContactId = NewType("ContactId", UUID)
ProductId = NewType("ProductId", UUID)
QuoteId = NewType("QuoteId", UUID)
LineItemId = NewType("LineItemId", UUID)
PolicyId = NewType("PolicyId", UUID)
RequestId = NewType("RequestId", UUID)
MessageId = NewType("MessageId", UUID)
DocumentId = NewType("DocumentId", UUID)
CategoryId = NewType("CategoryId", UUID)
TaxRateId = NewType("TaxRateId", UUID)
PriceListId = NewType("PriceListId", UUID)
PriceId = NewType("PriceId", UUID)
CouponId = NewType("CouponId", UUID)
CustomerGroupId = NewType("CustomerGroupId", UUID)
ExchangeRateId = NewType("ExchangeRateId", UUID)
ImportId = NewType("ImportId", UUID)
