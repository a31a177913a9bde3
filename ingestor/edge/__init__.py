"""TOUCHES: the only room that imports aiokafka, aiohttp, structlog, time or random."""
