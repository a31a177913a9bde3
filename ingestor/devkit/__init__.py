"""Practice gear: a fake Tuner, an embedded broker, sample calls and the demo."""
