"""What kernels and terminals of the server inherit: the home folder and the database that the panels show.

A kernel begins in the folder of its notebook. Left to itself it would look for a home folder there, and what it deploys
would be seen by nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.live.places import default_database
from workbench.market.home import home_folder


def database_of(setting: str) -> str:
    """The database of a setting, such that it is the same from every folder; the default without one."""
    database = setting or default_database()
    return database if "://" in database else str(Path(database).expanduser().absolute())


@contextmanager
def handed_down(database: str) -> Iterator[None]:
    """Set both in the environment until the end of the block."""
    told = {"WORKBENCH_HOME": str(home_folder()), "WORKBENCH_DATABASE": database}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
