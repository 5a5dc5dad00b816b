"""Comparing predictions with the truth: the only place where the test set is touched."""
