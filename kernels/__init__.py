"""GPU kernels, each beside the reference that CPUs use (imported as `neurodecode_kernels`).

Every operation is a folder: `reference.py` in plain torch, `triton.py` with forward and backward,
`README.md` with what it must move and compute. Its function takes ``backend="auto"``; `why_not`
says why a call would take the reference. Nothing here imports neurodecode.
"""
