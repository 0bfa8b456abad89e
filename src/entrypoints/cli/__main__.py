"""``python -m src.entrypoints.cli``."""

from src.entrypoints.cli.app import main

main()
