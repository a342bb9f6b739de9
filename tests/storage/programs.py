"""What a program needs that a storage test starts."""

import os
import sys

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
"""With the import path of this test run."""
