"""The command line: ``workbench backtest``, ``data``, ``calendar``, ``evaluate`` and the rest.

Each command is a thin shell around what a notebook would call; it reads files, shows tables and turns errors into exit
codes (see ``failures``). Nothing heavy is imported before a command needs it, so that ``workbench --help`` is quick.
"""

from __future__ import annotations

from workbench.cli.app import app

__all__ = ["app"]
