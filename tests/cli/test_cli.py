from __future__ import annotations

import subprocess
import sys

import pytest

from neurodecode.cli import COMMANDS, main


def test_help_lists_the_commands_in_the_order_of_a_study(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    found = [
        line.split()[0] for line in lines if line.startswith("    ") and line.split()[0] in COMMANDS
    ]
    assert found == list(COMMANDS)


def test_import_and_help_do_not_import_torch():
    code = (
        "import sys, neurodecode, neurodecode.cli\n"
        "try: neurodecode.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning', 'nilearn', 'mne', 'h5py', 'numpy', 'pandas'}\n"
        "found = heavy & set(sys.modules)\n"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["baselines", "augment"])
def test_linear_models_do_not_wait_for_lightning(module):
    code = f"import sys, neurodecode.tasks.{module}; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if name not in ("fit", "validate", "test", "predict")]
)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert "--" in capsys.readouterr().out


def test_unknown_command_exits_with_2(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["decode"])
    assert exit_.value.code == 2
