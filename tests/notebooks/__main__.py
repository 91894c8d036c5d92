"""``python -m tests.notebooks [NAME...]``: run notebooks and store what they show; all of them without a name."""

from __future__ import annotations

import sys

from tests.notebooks.stored import paths, store

for path in paths():
    if path.stem in sys.argv[1:] or len(sys.argv) == 1:
        sys.stdout.write(f"{path.stem}\n")
        store(path)
