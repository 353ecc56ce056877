"""``python -m leadglass`` is ``leadglass``."""

from __future__ import annotations

import sys

from leadglass.cli import main

if __name__ == "__main__":
    sys.exit(main())
