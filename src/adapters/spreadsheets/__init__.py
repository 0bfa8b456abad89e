"""Spreadsheets that leave the house."""

from src.adapters.spreadsheets.file_spreadsheets import FileSpreadsheets

__all__ = ["FileSpreadsheets"]
