"""Scanpaths of models against those of people: predictions, scores, records."""
