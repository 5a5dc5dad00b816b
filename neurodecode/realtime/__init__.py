"""Decoding while the recording is being made: samples in, decisions out.

Each part is of use without the others, and none but `lsl` and `outlets` needs Lab Streaming Layer.
"""
