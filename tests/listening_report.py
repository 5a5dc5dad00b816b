"""A small report of attention decoders, for what reads one."""

from __future__ import annotations

from pathlib import Path

from listening import listeners

from neurodecode.cli import main
from neurodecode.store.auditory import write_auditory


def write_listening_report(root: Path) -> None:
    """Two decoders of two listeners under ``reports/auditory``, by the commands of a user."""
    stores, trials = root / "stores", listeners(n_subjects=2, n_trials=4)
    for subject in ("S1", "S2"):
        own = [trial for trial in trials if trial.subject == subject]
        write_auditory(stores / f"sub-{subject}.h5", "tiny", own, {"low_hz": None})
    files = []
    for method, name in (("trf_backward", "plain"), ("trf_forward", "other")):
        files.append(str(root / f"{name}.h5"))
        words = ["--windows", "2", "6", "--mismatch", "6", "--shifts", "2", "--out", files[-1]]
        fit = ["fit", "--stores", str(stores), "--method", method, *words]
        assert main(["--quiet", "attend", *fit]) == 0
    evaluate = ["evaluate", "--profile", "auditory", "--stores", str(stores), "--scores", *files]
    assert main(["--quiet", "attend", *evaluate, "--out", str(root / "reports" / "auditory")]) == 0
