"""What the report and the notebooks share: results as tidy tables, and plain questions to them.

Nothing here computes a score: `neurodecode evaluate` has done that. Import what you need from
the modules, e.g. ``from neurodecode.analysis.profile import load_profile``.
"""
