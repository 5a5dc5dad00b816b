"""The bundled miniature world: procedural scenes and forward models."""
