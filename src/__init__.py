"""Proffer: offers that are priced exactly, agreed on, sent and provable."""
