"""The demo: the real service between an embedded broker and a fake Tuner, and what became of it."""

from ingestor.devkit.demo.play import play
from ingestor.devkit.demo.service import DemoFailedError

__all__ = ["DemoFailedError", "play"]
