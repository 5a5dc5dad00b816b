"""Measurements that `neurodecode bench` makes."""
