"""Reads the bytes of a partition where the Kafka client gives up: every record that can be read,
and for the rest the exact range of offsets with its bytes.

What is read is never trusted further than its checksum: nothing here raises, loops or takes memory
without bound, whatever the bytes.
"""
