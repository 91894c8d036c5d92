"""What must be done about an error of a database driver, by the driver's own code.

Somebody else is at work, or the server is away: RetryableError. There is no room, or nothing may be written any more:
Unwritable, which ends when a person has seen to it. The disk is broken: HaltError. The file is no database:
ConfigError. All else, a broken key or a failed check, has no reaction of its own: it is a bug, or a question that the
caller asked on purpose.
"""

from __future__ import annotations

import errno
import sqlite3

import sqlalchemy as sa

from workbench.errors import ConfigError, HaltError, RetryableError, Unwritable, WorkbenchError

#: SQLite's primary result codes.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL: "there is no room left. Make room",
    sqlite3.SQLITE_READONLY: "the file or its folder may only be read. Give the right to write",
}
#: Whole codes: what they have in common with others of their class is not what must be done.
_WHOLE = {
    sqlite3.SQLITE_IOERR_WRITE: "the disk took no more: it may be read-only by now, or a quota may be used up. Give "
    "the right to write, or make room; otherwise look at the disk",
}
_MOVED = "the file was moved or removed while it was open. Bring it back and start again"
_HALTING = {
    sqlite3.SQLITE_PERM: "access is refused. Give the right to read and write and start again",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder cannot be opened. See that it is there and may be written",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write. Look at the disk before anything else",
    sqlite3.SQLITE_CORRUPT: "the file is damaged. Keep it as it is, and go back to a copy",
    sqlite3.SQLITE_NOMEM: "memory is used up. Free some and start again",
}

#: Errors of the operating system that end with rights or room.
_NO_RIGHT_OR_ROOM = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}

_READ_ONLY = "25006"

#: PostgreSQL's codes, or the first two characters of a class of them.
_PASSING = {"08", "40", "25P03", "53300", "55P03", "57014", "57P01", "57P02", "57P03", "57P05"}
_REFUSED = {
    _READ_ONLY: "the server takes no writes: it is a standby, or set to read only. Name the primary, or lift that",
    "53100": "the server has no room left on its disk. Make room",
}
_LASTING = {
    "42501": "the user may not do that. Grant the right and start again",
    "53": "the server has no room left, on disk or in memory. Make room and start again",
    "58": "the server failed to read or write its files. Look at the server before anything else",
    "XX": "the server reports damage of its own. Look at the server before anything else",
}


def takes_nothing(error: OSError) -> bool:
    """Whether a file cannot be made or written for want of rights or room, and not for what it is called."""
    return error.errno in _NO_RIGHT_OR_ROOM


def reaction_to(error: Exception, where: str, wait_s: float, may_write: bool) -> WorkbenchError | None:
    """What must be done about an error.

    Parameters
    ----------
    error : Exception
        As SQLAlchemy or the driver of SQLite raised it.
    where : str
        The database, for the message.
    wait_s : float
        Seconds for which others were waited for.
    may_write : bool
        Whether the transaction was one that may write; to write in another is a bug.

    Returns
    -------
    WorkbenchError or None
        The error to raise instead; None where there is none.
    """
    if isinstance(error, sa.exc.TimeoutError):
        return RetryableError(f"{where} has no connection free for more than {wait_s:g} s; try again")
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not may_write and _is_refused_to_a_reader(cause):
        return None
    if isinstance(cause, sqlite3.Error):
        return _to_sqlite(cause, where, wait_s)
    if isinstance(error, sa.exc.DBAPIError):
        return _to_postgres(error, where)
    return None


def _is_refused_to_a_reader(cause: object) -> bool:
    # The whole code, and not its first byte: others of this class mean that the file cannot be opened.
    is_refused = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
    return is_refused or getattr(cause, "sqlstate", None) == _READ_ONLY


def _to_sqlite(cause: sqlite3.Error, where: str, wait_s: float) -> WorkbenchError | None:
    whole = getattr(cause, "sqlite_errorcode", 0)
    code = whole & 0xFF
    if whole == sqlite3.SQLITE_READONLY_DBMOVED:
        return HaltError(f"{where} cannot be used ({cause}): {_MOVED}")
    if why := _WHOLE.get(whole) or _UNWRITABLE.get(code):
        return Unwritable(f"{where} cannot be written ({cause}): {why}")
    if code in _BUSY:
        return RetryableError(f"{where} is in use by somebody else for more than {wait_s:g} s ({cause}); try again")
    if code == sqlite3.SQLITE_NOTADB:
        return ConfigError(f"{where} is a file of another kind ({cause}); name another one")
    if code in _HALTING:
        return HaltError(f"{where} cannot be used ({cause}): {_HALTING[code]}")
    return None


def _to_postgres(error: sa.exc.DBAPIError, where: str) -> WorkbenchError | None:
    code = str(getattr(error.orig, "sqlstate", None) or "")
    said = " ".join(str(error.orig).split())
    # A connection that was lost, or never made, has no code.
    is_lost = error.connection_invalidated or (not code and isinstance(error, sa.exc.OperationalError))
    if is_lost or {code, code[:2]} & _PASSING:
        return RetryableError(f"{where} cannot be used now ({said}); try again")
    if why := _REFUSED.get(code):
        return Unwritable(f"{where} cannot be written ({said}): {why}")
    if why := _LASTING.get(code) or _LASTING.get(code[:2]):
        return HaltError(f"{where} cannot be used ({said}): {why}")
    return None
