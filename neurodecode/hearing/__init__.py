"""Steered hearing: whoever is attended is extracted from what both ears get.

A voice is known by its embedding (`neurodecode.hearing.encoder`), the posterior over talkers
mixes embeddings, and a causal network (`neurodecode.hearing.extractor`) takes that voice out of
the mixture, 8 ms at a time.
"""
