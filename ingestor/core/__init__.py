"""DECIDES: pure functions and plain state; no asyncio, clock, dice, logs or I/O."""
