"""What must be shown of bars that are missing: a bar and five seconds after the close of the first, until the next."""

from __future__ import annotations

import json

from tests.simulation.look import STALE_NS, Look


def check_fresh(look: Look, now: int) -> None:
    """I12: what is shown as missing after a turn that began at an instant is what the market had not given by then."""
    missing = {name for name in look.world.instruments if _is_missing(look, name, now)}
    unclear = {name for name in look.world.instruments if _is_unclear(look, name, now)}
    for ident, status, stale in look.rows("SELECT deployment_id, status, stale FROM deployment_states"):
        if status == "STOPPED":
            continue
        shown, names = set(json.loads(stale or "{}")), set(look.world.traded[ident])
        for name in sorted((shown ^ (missing & names)) - unclear):
            what = "is missing and not shown" if name in missing else "is shown as missing and is not"
            look.complain("I12", f"{ident[:4]}: data of {name} {what}")
        told = look.rows("SELECT body FROM journal WHERE deployment_id = ? AND kind = 'STALE_DATA' ORDER BY seq", ident)
        last = {one["instrument"]: one["is_stale"] for one in (json.loads(body) for (body,) in told)}
        if {name for name, is_stale in last.items() if is_stale} != shown:
            look.complain("I12", f"{ident[:4]} shows {sorted(shown)} as missing, and its journal does not")


def _is_missing(look: Look, name: str, now: int) -> bool:
    """Whether the market still owes the bar after the newest that it gave, a bar and five seconds after its close."""
    given, owed = 0, None
    seen = set()
    for one in sorted((one for one in look.market.deliveries if one.bar.instrument == name), key=lambda one: one.at_ns):
        if one.at_ns <= now:
            given = max(given, one.close_ns)
        elif one.close_ns not in seen:
            owed = one.close_ns if owed is None else min(owed, one.close_ns)
        seen.add(one.close_ns)
    if owed is None:
        return False  # what was never made is not owed
    # A feed knows of bars that were never made: up to the one that it owes it is complete.
    known = max(given, owed - 1)
    expected = next((slot.close_ns for slot in look.world.slots if slot.close_ns > known), None)
    return expected is not None and now >= expected + look.bar_ns + STALE_NS


def _is_unclear(look: Look, name: str, now: int) -> bool:
    """Whether the newest bar that is kept is not the newest that the market gave: then either is right.

    Somebody stored one that had not come; or one came late, to a process that ended before it kept it.
    """
    newest = look.rows("SELECT MAX(ts_ns) FROM bars WHERE instrument = ?", name)[0][0] or 0
    given = [one.bar.ts_ns for one in look.market.deliveries if one.bar.instrument == name and one.at_ns <= now]
    return bool(newest != max(given) if given else newest >= look.world.slots[0].ts_ns)
