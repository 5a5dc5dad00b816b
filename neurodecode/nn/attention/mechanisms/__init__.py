"""One attention mechanism a file; `neurodecode.nn.attention` imports them all."""
