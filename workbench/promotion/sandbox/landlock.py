"""Linux's Landlock: from here on this process may read libraries and nothing else, and write nowhere.

The rights and numbers of the calls are those of the kernel (Documentation/userspace-api/landlock.rst, since 5.13); they
are the same on every architecture that Workbench has wheels for. It needs no privilege, and cannot be undone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38

#: Execute, read a file, read a folder.
_READS = 1 << 0 | 1 << 2 | 1 << 3
#: All rights on files of the first version; linking elsewhere came with the second, truncating with the third.
_FIRST, _SECOND, _THIRD = (1 << 13) - 1, 1 << 13, 1 << 14


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def only_reads(folders: Iterable[str]) -> bool:
    """Let this process read below some folders, and do nothing else with files; whether the system does so."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    handled = _FIRST | (_SECOND if version >= 2 else 0) | (_THIRD if version >= 3 else 0)
    rules = _Ruleset(handled)
    ruleset = libc.syscall(_CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    try:
        for folder in folders:
            with contextlib.suppress(OSError):
                place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
                rule = _Beneath(_READS if os.path.isdir(folder) else 1 << 2, place)  # noqa: PTH112 - no path is made
                libc.syscall(_ADD, ruleset, _BENEATH, ctypes.byref(rule), 0)
                os.close(place)
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
