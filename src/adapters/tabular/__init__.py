"""Reads the tables that people bring: CSV and XLSX, by content and with limits."""

from src.adapters.tabular.reader import FileTabularReader

__all__ = ["FileTabularReader"]
