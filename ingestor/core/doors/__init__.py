"""The formats in which an event may arrive, one module per format."""
