"""Kernels of the grid: lay out intervals, find bars in them, group them into coarser bars."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.jit import njit


@njit
def lay_out(opens: Any, closes: Any, pause_first: Any, pause: Any, pause_start: Any, pause_end: Any, length: int,
            out: Any) -> None:
    """Write session, open and close of every interval of some sessions.

    Parameters
    ----------
    opens, closes : int64[sessions]
        Bounds of the sessions, ns.
    pause_first : int32[sessions + 1]
        Pauses of session s are those from ``pause_first[s]`` to ``pause_first[s + 1] - 1``.
    pause : int64[2, pauses]
        Intervals that lie wholly in each pause, counted from the session's open: first, and one beyond the last.
    pause_start, pause_end : int64[pauses]
        Bounds of the pauses, ns.
    length : int
        Of an interval, ns.
    out : (int32[m], int64[m], int64[m])
        Session, open, close.
    """
    at = 0
    for s in range(len(opens)):
        step = 0
        p, last = pause_first[s], pause_first[s + 1]
        while True:
            while p < last and step >= pause[0, p]:
                step = max(step, pause[1, p])
                p += 1
            start = opens[s] + step * length
            if start >= closes[s]:
                break
            end = min(start + length, closes[s])
            for q in range(pause_first[s], last):
                if pause_start[q] < end <= pause_end[q]:
                    end = pause_start[q]
            out[0][at], out[1][at], out[2][at] = s, start, end
            at += 1
            step += 1


@njit
def find(ts: Any, opens: Any, closes: Any, pause_first: Any, pause: Any, first: Any, bounds: Any, at: Any) -> None:
    """Write where each stamp opens an interval; leave -1 where it opens none.

    Parameters
    ----------
    ts : int64[n]
        Stamps; fast when ascending, right in any order.
    opens, closes, pause_first, pause
        As in ``lay_out``.
    first : int64[sessions + 1]
        Number of the first interval of each session.
    bounds : (int, int, int)
        Length of an interval in ns; number of the grid's first interval; one beyond its last.
    at : int32[n]
        Filled with -1 by the caller.
    """
    length, low, high = bounds
    s, sessions = 0, len(opens)
    expected, position = opens[0], first[0]  # the next interval's opening when nothing is missing: no division
    for i in range(len(ts)):
        now = ts[i]
        if now == expected and now < closes[s] and pause_first[s] == pause_first[s + 1]:
            if low <= position < high:
                at[i] = position - low
            expected += length
            position += 1
            continue
        if now < opens[s] or (s + 1 < sessions and now >= opens[s + 1]):
            s = max(np.searchsorted(opens, now, side="right") - 1, 0)
        if now < opens[s] or now >= closes[s]:
            continue
        step = (now - opens[s]) // length
        if opens[s] + step * length != now:
            continue
        skipped = 0
        for p in range(pause_first[s], pause_first[s + 1]):
            if step >= pause[1, p]:
                skipped += pause[1, p] - pause[0, p]
            elif step >= pause[0, p]:
                skipped = -1
                break
        if skipped >= 0:
            position = first[s] + step - skipped
            if low <= position < high:
                at[i] = position - low
            expected = now + length
            position += 1


@njit
def group(session: Any, opens: Any, closes: Any, of_session: Any, length: int, following: Any, out: Any) -> int:
    """Number the coarser bars of a grid.

    Parameters
    ----------
    session, opens, closes : int32[m], int64[m], int64[m]
        The grid, m >= 1.
    of_session : (int64[sessions], int64[sessions])
        Open of each session; the instant after which its intervals belong to no bar.
    length : int
        Of a coarser bar, ns; for one bar a session, longer than every session.
    following : (int, int)
        Open and close of the interval after the last in the same session; anything beyond every session if none.
    out : (int32[m], bool[m])
        Bucket and final.

    Returns
    -------
    int
        Number of buckets.
    """
    bucket, final = out
    session_open, cut = of_session
    count = 0
    edge = -_NEVER  # end of the bucket that is being filled
    size = len(session)
    for i in range(size):
        s = session[i]
        if i and session[i - 1] != s:
            edge = -_NEVER
        final[i] = False
        if closes[i] > cut[s]:
            bucket[i] = -1
            continue
        if opens[i] >= edge:
            count += 1
            edge = session_open[s] + ((opens[i] - session_open[s]) // length + 1) * length
        bucket[i] = count - 1
        last = i + 1 == size
        next_open, next_close = (following[0], following[1]) if last else (opens[i + 1], closes[i + 1])
        same = next_open < _NEVER if last else session[i + 1] == s
        final[i] = not (same and next_close <= cut[s] and next_open < edge)
    return count


_NEVER = 2**63 - 1
