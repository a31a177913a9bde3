"""Bounds what the Kafka client inflates: its own codecs take whatever memory a batch asks for."""

from aiokafka.record import default_records, legacy_records
from aiokafka.util import NO_EXTENSIONS

from ingestor.core.batches.inflating import Inflater

INFLATER = Inflater()


def bound_codecs() -> None:
    """Have aiokafka inflate through `INFLATER`, which refuses what is too large; it costs nothing,
    and nothing else reaches the place where aiokafka inflates.
    """
    modules = [default_records, legacy_records]
    if not NO_EXTENSIONS:
        from aiokafka.record._crecords import default_records as compiled  # noqa: PLC0415
        from aiokafka.record._crecords import legacy_records as compiled_legacy  # noqa: PLC0415

        modules += [compiled, compiled_legacy]
    for module in modules:
        module.gzip_decode = INFLATER.gzip
        module.snappy_decode = INFLATER.snappy
        module.lz4_decode = INFLATER.lz4
        if hasattr(module, "zstd_decode"):
            module.zstd_decode = INFLATER.zstd
