"""WAITS: asyncio only; meets the world through the ports."""
