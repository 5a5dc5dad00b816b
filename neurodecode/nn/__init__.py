"""Network parts; each is chosen by ``class_path`` in a configuration."""
