"""The engine's records as the DataFrames of rule N5: trades, fills, orders, decisions, notes, equity.

Everything is built when it is first asked for. Decisions can be millions of
rows and hold their names as categoricals; the other tables hold plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.desk import written
from workbench.engine.levels import excursion_frac
from workbench.engine.records import Action, Desk, Note, Records, trade_dtype
from workbench.ids import short_id
from workbench.schema import Decision, OrderKind, OrderStatus, Reason

#: How pandas and numpy store a missing instant.
MISSING_NS = np.iinfo(np.int64).min


def utc(ns: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    """Nanoseconds since 1970-01-01 as UTC timestamps; -1 is missing."""
    ns = np.ascontiguousarray(ns)
    missing = ns < 0
    if missing.any():
        ns = np.where(missing, MISSING_NS, ns)
    # From integers with a type that says UTC, pandas makes the index without a copy.
    return pd.DatetimeIndex(ns, dtype="datetime64[ns, UTC]", copy=False)


def labels(codes: npt.ArrayLike, names: Sequence[str]) -> Any:
    """Codes as a categorical over ``names``."""
    return pd.Categorical.from_codes(np.asarray(codes, np.int64), categories=pd.Index(list(names)))


def text(codes: npt.ArrayLike, names: Sequence[str]) -> pd.Series[str]:
    """Codes as plain text, for tables of trades, fills and orders."""
    # One text a name, picked by the code: pandas turns a categorical into text many times slower.
    return pd.Series(pd.array(list(names), dtype="str").take(np.asarray(codes, np.int64)))


def enum_text(codes: npt.ArrayLike, kind: type[IntEnum]) -> pd.Series[str]:
    """Codes of an enum as plain text; the member called NONE is the empty text."""
    return text(codes, _names(kind))


def enum_labels(codes: npt.ArrayLike, kind: type[IntEnum]) -> Any:
    """Codes of an enum as its names; the member called NONE is the empty text."""
    return labels(codes, _names(kind))


def _names(kind: type[IntEnum]) -> list[str]:
    return ["" if member.name == "NONE" else member.name for member in kind]


def sides(side: npt.NDArray[np.int32]) -> pd.Series[str]:
    """+1 as BUY, -1 as SELL."""
    return text((side < 0).astype(np.int64), ["BUY", "SELL"])


def order_id(strategy_hash: str, instrument: str, ns: int, kind: str, reason: str) -> str:
    """Deterministic id of an order: 20 characters of A-Z and 2-7, from what the order is and nothing else.

    At one instant an instrument has at most one order of a kind and purpose, so these five identify it. A protective
    order keeps the reason under which it was sent.
    """
    return short_id(strategy_hash, instrument, str(ns), kind, reason)


class Orders:
    """Order numbers and ids of one result, from its actions.

    Parameters
    ----------
    actions : record array of ``action_dtype``
        As the engine wrote them.
    instruments : sequence of str
        Names by index.
    strategy_hash : str
        Part of every id.
    """

    def __init__(self, actions: Records, instruments: Sequence[str], strategy_hash: str) -> None:
        self._actions, self._instruments, self._hash = actions, instruments, strategy_hash
        self._sent = actions[actions["action"] == Action.SUBMIT]

    def ids(self) -> npt.NDArray[np.object_]:
        """Id of each order number, an object array of str."""
        kinds = [kind.name.lower() for kind in OrderKind]
        rows = zip(*(self._sent[name].tolist() for name in ("instrument", "ns", "kind", "reason")), strict=True)
        found = [
            order_id(self._hash, self._instruments[k], ns, kinds[kind], Reason(reason).name)
            for k, ns, kind, reason in rows
        ]
        return np.array(found, dtype=object)

    def frame(self) -> pd.DataFrame:
        """One row an order, in the order of sending (N5)."""
        sent, actions = self._sent, self._actions
        price, reason = sent["price"].copy(), sent["reason"].copy()
        moved = actions[actions["action"] == Action.MOVE]
        # Later moves overwrite earlier ones: numpy keeps the last value written to an index.
        price[moved["order"]], reason[moved["order"]] = moved["price"], moved["reason"]
        status = np.full(len(sent), int(OrderStatus.WORKING))
        for action, result in (
            (Action.FILL, OrderStatus.FILLED),
            (Action.CANCEL, OrderStatus.CANCELLED),
            (Action.CANCEL_NO_SLOT, OrderStatus.CANCELLED_NO_SLOT),
        ):
            status[actions["order"][actions["action"] == action]] = int(result)
        return pd.DataFrame(
            {
                "ts": utc(sent["ns"]),
                "instrument": text(sent["instrument"], self._instruments),
                "side": sides(sent["side"]),
                "qty": sent["qty"],
                "kind": text(sent["kind"], [kind.name.lower() for kind in OrderKind]),
                "limit_price": np.where(sent["kind"] == OrderKind.TARGET, price, np.nan),
                "stop_price": np.where(sent["kind"] == OrderKind.STOP, price, np.nan),
                "reason": enum_text(reason, Reason),
                "status": enum_text(status, OrderStatus),
                "order_id": self.ids(),
            }
        )


def fills_frame(fills: Records, instruments: Sequence[str], ids: npt.NDArray[np.object_]) -> pd.DataFrame:
    """One row a fill (N5); ``ts`` is the opening instant of its base bar."""
    return pd.DataFrame(
        {
            "ts": utc(fills["ns"]),
            "instrument": text(fills["instrument"], instruments),
            "side": sides(fills["side"]),
            "qty": fills["qty"].copy(),
            "price": fills["price"].copy(),
            "charges": fills["charges"].copy(),
            "reason": enum_text(fills["reason"], Reason),
            "kind": text(fills["kind"], [kind.name.lower() for kind in OrderKind]),
            "order_id": ids[fills["order"]] if len(fills) else np.array([], dtype=object),
        }
    )


def trades_of(desk: Desk) -> Records:
    """Closed trades in the order of their exits, then open ones by name, marked at their last close (F9, R1)."""
    closed, positions = written(desk, "trades"), desk.positions
    held = np.flatnonzero(positions["qty"])
    if not len(held):
        return closed
    # Not concatenated: numpy would first ask what the two kinds of record, which are one, have in common.
    rows = np.zeros(len(closed) + len(held), trade_dtype)
    rows[: len(closed)] = closed
    for place, k in enumerate(held, len(closed)):
        rows[place] = _open_trade(int(k), positions[k])
    return rows


def _open_trade(k: int, position: Any) -> tuple[Any, ...]:
    """The row of a trade that nothing has closed, marked at its last close; in the order of ``trade_dtype``."""
    qty, entry, charges, mark, first_level, best, worst = (
        position[name].item()
        for name in ("qty", "entry_price", "entry_charges", "mark", "first_level", "best", "worst")
    )
    direction = 1 if qty > 0.0 else -1
    gross = qty * (mark - entry)
    risk = abs(entry - first_level) * abs(qty)
    in_r = (gross - charges) / risk if risk > 0.0 else np.nan
    low, high = excursion_frac(entry, worst, direction), excursion_frac(entry, best, direction)
    held = max(position["bars_held"].item(), 0)
    began = position["entry_ns"].item()
    return (k, direction, abs(qty), began, entry, -1, np.nan, 0, gross, charges, in_r, low, high, held)


def trade_numbers(trades: Records) -> dict[str, npt.NDArray[Any]]:
    """What the statistics read of trades: net P&L, return, multiple of the risk, bars held, and whether it is open."""
    net = trades["gross_pnl"] - trades["charges"]
    return {
        "net_pnl": net,
        "return_frac": net / (trades["entry_price"] * trades["qty"]),
        "r_multiple": trades["r_multiple"].copy(),
        "bars_held": trades["bars_held"].copy(),
        "is_open": trades["exit_ns"] < 0,
    }


def trades_frame(trades: Records, instruments: Sequence[str]) -> pd.DataFrame:
    """One row a trade, closed ones in the order of their exits, then open ones by name (R1, N5).

    A row with ``exit_ns`` -1 is open: its P&L is marked at the last close and its exit price is missing.
    """
    numbers = trade_numbers(trades)
    return pd.DataFrame(
        {
            "instrument": text(trades["instrument"], instruments),
            "direction": text((trades["direction"] < 0).astype(np.int64), ["LONG", "SHORT"]),
            "qty": trades["qty"].copy(),
            "entry_ts": utc(trades["entry_ns"]),
            "entry_price": trades["entry_price"].copy(),
            "entry_reason": enum_text(np.full(len(trades), int(Reason.ENTRY_SIGNAL)), Reason),
            "exit_ts": utc(trades["exit_ns"]),
            "exit_price": trades["exit_price"].copy(),
            "exit_reason": enum_text(trades["exit_reason"], Reason),
            "gross_pnl": trades["gross_pnl"].copy(),
            "charges": trades["charges"].copy(),
            "net_pnl": numbers["net_pnl"],
            "return_frac": numbers["return_frac"],
            "r_multiple": numbers["r_multiple"],
            # A short that never moved has an excursion of -0.0, which is no number to show.
            "mae_frac": trades["mae_frac"] + 0.0,
            "mfe_frac": trades["mfe_frac"] + 0.0,
            "bars_held": numbers["bars_held"],
            "is_open": numbers["is_open"],
        }
    )


def decisions_frame(decisions: Records, instruments: Sequence[str]) -> pd.DataFrame:
    """One row an instrument and strategy bar, and the extra rows of D9, by time and name."""
    order = np.lexsort((decisions["instrument"], decisions["ns"]))
    rows = decisions[order]
    return pd.DataFrame(
        {
            "ts": utc(rows["ns"]),
            "instrument": labels(rows["instrument"], instruments),
            "decision": enum_labels(rows["decision"], Decision).remove_unused_categories(),
            "entry": enum_labels(rows["entry"], Decision).remove_unused_categories(),
            "reason": enum_labels(rows["reason"], Reason).remove_unused_categories(),
        }
    )


def notes_frame(notes: Records, instruments: Sequence[str], said: Sequence[tuple[int, str, str]]) -> pd.DataFrame:
    """Rows (ts, instrument, note): what the engine reported, and what is true of the whole result (``said``)."""
    rows = list(said) + [
        (int(row["ns"]), instruments[int(row["instrument"])], Note(int(row["note"])).name) for row in notes
    ]
    return pd.DataFrame(
        {
            "ts": utc(np.array([ns for ns, _, _ in rows], np.int64)),
            "instrument": pd.Series([name for _, name, _ in rows], dtype=object),
            "note": pd.Series([text for _, _, text in rows], dtype=object),
        }
    )
