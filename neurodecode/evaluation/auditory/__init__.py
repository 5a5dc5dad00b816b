"""Scores of attention decoders against who was attended: the only place that compares the two."""
