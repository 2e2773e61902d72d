"""Set-up of a checkout, run by make with the machine's own Python and nothing else."""

import sys

# Here, before any newer syntax is read, so that an old Python gets a sentence too.
if sys.version_info < (3, 11):
    sys.exit(
        "Stockroom needs Python 3.11 or newer, and this is %d.%d. " % sys.version_info[:2]
        + "Name another one: make setup PYTHON=/path/to/python3.12"
    )
