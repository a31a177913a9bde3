"""TOUCHES: the only importers of aiokafka, aiohttp, structlog, prometheus_client, time and random."""
