"""A trained decoder or encoder for a subject that it has never seen."""
