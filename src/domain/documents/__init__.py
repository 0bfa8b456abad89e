"""Documents: how an offer is written down for its reader."""

from src.domain.documents.notation import Notation, notation_for

__all__ = ["Notation", "notation_for"]
