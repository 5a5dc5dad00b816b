"""From sound to features of speech at the rate of the brain: envelopes, onsets, mel bands."""
