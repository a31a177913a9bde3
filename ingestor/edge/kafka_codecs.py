"""Bounds what the Kafka client inflates: its own codecs take whatever memory a batch asks for."""

import sys
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from ingestor.core.batches.inflating import Inflater

INFLATER = Inflater()


def bound_codecs() -> None:
    """Have aiokafka inflate through `INFLATER`, which refuses what is too large; it costs nothing.

    aiokafka has no other place for it: its readers, compiled or not, look their codecs up in the
    module that they are defined in.
    """
    for reader in (DefaultRecordBatch, LegacyRecordBatch):
        module: Any = sys.modules[reader.__module__]
        module.gzip_decode = INFLATER.gzip
        module.snappy_decode = INFLATER.snappy
        module.lz4_decode = INFLATER.lz4
        module.zstd_decode = INFLATER.zstd
