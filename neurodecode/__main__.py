"""``python -m neurodecode``."""

import sys

from neurodecode.cli import main

sys.exit(main())
