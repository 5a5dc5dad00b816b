"""The parts of the page: each gathers plain values for the template, and computes no score."""
