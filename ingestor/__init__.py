"""Carries call-ended events from a Kafka topic to Tuner."""

__version__ = "0.1.0"
