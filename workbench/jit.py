"""The one ``njit`` everyone imports.

Numba's own cache notices an edit in the file of a cached function, but not in the file of a function it calls. A
stale kernel in a trading engine is a silent lie, so every kernel is cached in a folder named by a hash of the
sources it can reach: its own layer's and those of the layers below (``LAYERS``, lowest first). An edit in a layer
moves that layer and everything above it to a new folder; the layers below keep theirs.

No kernel is compiled with fastmath: results must not depend on the order in which a compiler adds.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba

#: Layers whose kernels have no memory management: they cannot allocate, and naming an array counts no reference.
WITHOUT_MEMORY = ("tolerance", "engine")

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

PACKAGE = pathlib.Path(__file__).resolve().parent

#: Folders and modules that hold kernels, lowest first. A kernel may call its own layer and those before it.
LAYERS: tuple[str, ...] = (
    "jit", "addresses", "schema", "tolerance", "market", "indicators", "expressions", "engine", "research",
)  # fmt: skip


def _sources(layer: str) -> list[pathlib.Path]:
    folder = PACKAGE / layer
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@cache
def sources_hash(layer: str) -> str:
    """Hash of the sources of a layer and of every layer below it.

    Parameters
    ----------
    layer : str
        One of ``LAYERS``.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in LAYERS[: LAYERS.index(layer) + 1]:
        for path in _sources(name):
            if path.exists():
                digest.update(path.relative_to(PACKAGE).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def engine_hash() -> str:
    """Hash of everything that decides what a backtest does (rule R4)."""
    return sources_hash("engine")


def _cache_root() -> pathlib.Path:
    chosen = os.environ.get("WORKBENCH_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    root = (pathlib.Path(home) if home else pathlib.Path.home() / ".cache") / "workbench"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if os.access(root, os.W_OK):
            return root
    except OSError:
        pass
    return pathlib.Path(tempfile.gettempdir()) / f"workbench-{os.getuid()}"


def _compiled(function: Callable[..., Any], inline: bool) -> Any:
    layer = function.__module__.split(".")[1]
    kept = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_cache_root() / f"{layer}-{sources_hash(layer)[:16]}")
    options = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": inline}
    if layer in WITHOUT_MEMORY:
        options["_nrt"] = False
    try:
        return numba.njit(**options)(function)
    finally:
        numba.config.CACHE_DIR = kept


def njit(function: Kernel) -> Kernel:
    """Compile a kernel on first call, or load it from the cache of its layer.

    Parameters
    ----------
    function : callable
        A function in numba's nopython subset, defined in a module of one of ``LAYERS``.

    Returns
    -------
    numba dispatcher
        Releases the GIL while it runs.
    """
    return cast(Kernel, _compiled(function, inline=False))


def inlined(function: Kernel) -> Kernel:
    """Like ``njit``, but laid into its caller: for the few kernels that run for every bar and have one caller."""
    return cast(Kernel, _compiled(function, inline=True))
