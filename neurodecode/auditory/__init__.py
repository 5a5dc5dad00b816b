"""Decoding what people listen to: decoders, decisions over time, envelope following.

Decoders share one interface, `neurodecode.auditory.decoder.AttentionDecoder`.
"""
