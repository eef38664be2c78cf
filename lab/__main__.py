"""`python -m lab`."""

import sys

from lab.cli import run

sys.exit(run())
