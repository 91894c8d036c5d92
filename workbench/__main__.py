"""``python -m workbench`` is the command ``workbench``."""

from __future__ import annotations

from workbench.cli import app

if __name__ == "__main__":
    app(prog_name="workbench")
