"""The runner's process with a lease of another length: ``python -m tests.kills.leased SECONDS ...``.

What follows is for ``python -m workbench.live``.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from workbench.live.__main__ import main
from workbench.live.launch import Launch


def with_lease(lease_s: float) -> None:
    """Let every service that is launched hold its lease for so long."""
    service = Launch.service

    def leased(self: Launch, say: Any, ending: Any) -> Any:
        return dataclasses.replace(service(self, say, ending), lease_ns=int(lease_s * 1e9))

    Launch.service = leased  # type: ignore[method-assign]


if __name__ == "__main__":
    with_lease(float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
