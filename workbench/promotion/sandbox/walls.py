"""What the process of a user's function may not do, put up inside it before the function is loaded.

Limits of the system hold whatever the code does: memory, time of the processor, size of files (none); and on Linux,
where the system allows it, no network, and no file but those of the libraries (``landlock``). On top of them an audit
hook refuses what Python is about to do: to open anything but the libraries, to write, to connect, to start processes,
to load machine code. A hook is no wall against machine code that is there already; the others are, and the environment
is empty of secrets.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from typing import Any

from workbench.promotion.sandbox.landlock import only_reads

#: Events that are refused whatever their arguments; a name that ends in a dot stands for all below it.
_REFUSED = (
    "socket.", "subprocess.", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.spawn",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.chflags", "os.link", "os.symlink",
    "os.truncate", "os.kill", "os.killpg", "os.putenv", "os.utime", "os.setxattr", "os.removexattr", "os.walk",
    "os.fwalk", "pty.", "shutil.", "tempfile.", "webbrowser.", "urllib.", "http.", "ftplib.", "smtplib.", "poplib.",
    "imaplib.", "nntplib.", "telnetlib.", "sqlite3.", "ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle",
    "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.addressof", "ctypes.string_at", "ctypes.wstring_at", "mmap.",
    "signal.pthread_kill", "syslog.", "fcntl.", "resource.setrlimit", "sys.addaudithook", "sys._current_frames",
    "glob.", "pathlib.Path.glob", "pathlib.Path.rglob", "_posixsubprocess.", "gc.get_objects", "gc.get_referrers",
)  # fmt: skip

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

#: Bytes that the process may take beside what it has when the limits are set, and open files.
MORE_BYTES, FILES = 3 * 2**30, 64


def without_network() -> bool:
    """Leave the network for good, where the system allows it; to be called before there are threads."""
    if not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.unshare(_NEW_NETWORK) == 0 or libc.unshare(_NEW_USER | _NEW_NETWORK) == 0)
    return False


def limited(seconds: int) -> None:
    """Set the limits of the system; they can only be lowered from then on."""
    with contextlib.suppress(OSError):
        page = os.sysconf("SC_PAGE_SIZE")
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read once, before anything else
            most = int(file.read().split()[0]) * page + MORE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def libraries() -> tuple[str, ...]:
    """Folders that may be read, each with a slash behind it: of Python, of what is installed, of the system."""
    ours = {os.path.realpath(one) + os.sep for one in (sys.prefix, sys.base_prefix, *sys.path, _package()) if one}
    return (*ours, "/usr/share/zoneinfo/", "/usr/lib/", "/lib/", "/lib64/", "/usr/local/lib/")


def put_up() -> bool:
    """Refuse from now on, there is no way back; whether the system itself keeps files apart."""
    readable = libraries()
    apart = only_reads(readable)
    _refuse(readable)
    return apart


def _refuse(libraries: tuple[str, ...]) -> None:
    """Add the hook."""
    exact = {name for name in _REFUSED if not name.endswith(".")}
    below = tuple(name for name in _REFUSED if name.endswith("."))

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            _opened(given, libraries)
        elif event in ("os.listdir", "os.scandir"):
            _looked(given, libraries)
        elif event in exact or event.startswith(below):
            raise PermissionError(f"a strategy may not do this: {event}")

    sys.addaudithook(hook)


def _opened(given: tuple[Any, ...], libraries: tuple[str, ...]) -> None:
    path, mode, flags = given
    writes = isinstance(flags, int) and flags & _WRITES
    if isinstance(mode, str):
        writes = writes or any(one in mode for one in "wax+")
    name = os.path.realpath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
    if writes or not name.startswith(libraries):
        raise PermissionError(f"a strategy may not open files: {name or path}")


def _looked(given: tuple[Any, ...], libraries: tuple[str, ...]) -> None:
    """Whoever imports looks at the folders of libraries."""
    name = os.path.realpath(os.fsdecode(given[0])) + os.sep if isinstance(given[0], str | bytes) else ""
    if not name.startswith(libraries):
        raise PermissionError(f"a strategy may not look at files: {name or given[0]}")


def _package() -> str:
    """Where Workbench lies: an editable installation is outside of the environment."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
