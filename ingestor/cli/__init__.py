"""The command line."""

from ingestor.cli.app import main

__all__ = ["main"]
