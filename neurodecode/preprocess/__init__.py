"""From recorded signals to the responses that are decoded."""
