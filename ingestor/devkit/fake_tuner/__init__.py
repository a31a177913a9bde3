"""A stand-in for Tuner's public API, with faults on demand, for practice and tests."""

from ingestor.devkit.fake_tuner.fault_file import Unusable, read_rules
from ingestor.devkit.fake_tuner.faults import (
    Delay,
    Dice,
    Drip,
    Fault,
    Redirect,
    Refuse,
    Reply,
    Reset,
    Rule,
    Script,
    Serve,
    Truncate,
    Window,
)
from ingestor.devkit.fake_tuner.log import Entry, Summary
from ingestor.devkit.fake_tuner.options import DEMO_KEY, Latency, Options
from ingestor.devkit.fake_tuner.recording import Recording
from ingestor.devkit.fake_tuner.server import FakeTuner
from ingestor.devkit.fake_tuner.store import Call

__all__ = [
    "DEMO_KEY",
    "Call",
    "Delay",
    "Dice",
    "Drip",
    "Entry",
    "FakeTuner",
    "Fault",
    "Latency",
    "Options",
    "Recording",
    "Redirect",
    "Refuse",
    "Reply",
    "Reset",
    "Rule",
    "Script",
    "Serve",
    "Summary",
    "Truncate",
    "Unusable",
    "Window",
    "read_rules",
]
