"""python -m ml_backend.cli"""

import sys

from ml_backend.cli.command_line import main

sys.exit(main())
