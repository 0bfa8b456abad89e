"""Bytes in a folder or in an S3 bucket."""

from src.adapters.storage.factory import storage_from
from src.adapters.storage.obstore_storage import ObstoreStorage

__all__ = ["ObstoreStorage", "storage_from"]
