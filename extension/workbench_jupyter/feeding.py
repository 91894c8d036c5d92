"""Where the bars of a hosted runner come from: what was set, else a folder of the project."""

from __future__ import annotations

import contextlib
import shlex

from workbench.market.home import home_folder


def options_of(feed: str) -> list[str]:
    """Options of a runner for a setting; without one, for the folder ``feed`` in the home folder, which is made.

    A folder that cannot be made is the runner's to complain of: it says so and waits for a person.
    """
    if feed:
        return shlex.split(feed)
    folder = home_folder() / "feed"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return ["--feed", f"folder:{folder}"]
