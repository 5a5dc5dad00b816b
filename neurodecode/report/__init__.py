"""One self-contained HTML page for each profile: figures, pictures, tables, provenance.

`neurodecode.report.page.write_page` turns a `neurodecode.analysis.profile.Profile` into the page.
Each part of it is a module of `neurodecode.report.sections`, which gathers plain values for the
template; `neurodecode.report.figures` draws. No part computes a score.
"""
