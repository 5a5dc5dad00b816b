"""Brain modules for MEG and EEG: from the time series of a trial to the width all subjects share.

Each is an adapter of `neurodecode.nn.decoder.BrainDecoder`, named by its class path.
"""
