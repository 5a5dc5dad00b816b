"""States of the brain from time series of its regions: windows, baselines, pretrained encoders."""
