"""From what the engine said to rows: intents, orders, fills, journal (the order of a bar close, design §3).

The engine speaks in actions. A SUBMIT, MOVE or CANCEL is something to tell the broker; a FILL has happened there
already and only needs writing down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import Any

from workbench.brokers.port import Event, Request
from workbench.engine.records import Action, Note, Records, decision_dtype
from workbench.ids import short_id
from workbench.journal import tables
from workbench.live.heard import Heard
from workbench.live.intents import Intent, IntentState
from workbench.live.page import Page
from workbench.live.standing import Known, Standing
from workbench.schema import Decision, OrderKind, Reason

#: Fields of a decision that the journal tells.
_SAID_OF_DECISIONS = ("instrument", "decision", "entry", "reason")

_KINDS = {int(kind): kind.name.lower() for kind in OrderKind}
_REASONS = {int(one): "" if one is Reason.NONE else one.name for one in Reason}
_DECISIONS = {int(one): "" if one is Decision.NONE else one.name for one in Decision}
_DECIDED = itemgetter(*((decision_dtype.names or ()).index(name) for name in _SAID_OF_DECISIONS))
_RISK = frozenset(
    int(one) for one in (Reason.KILL, Reason.DAILY_LOSS, Reason.FORCED_FLATTEN, Reason.TRADE_DRAWDOWN)
)


def _number(value: float) -> float | None:
    return None if value != value else value


class Said:
    """Writes what one deployment's engine said into a page.

    Parameters
    ----------
    standing : Standing
        Whose.
    page : Page
        Where to.
    at_ns : int
        Time of writing.
    epoch : int
        Of the lease.
    """

    def __init__(self, standing: Standing, page: Page, at_ns: int, epoch: int) -> None:
        self.standing, self.page, self.at_ns, self.epoch = standing, page, at_ns, epoch
        self.given = standing.deployed.given
        self.intents: list[Intent] = []
        self.expired: list[int] = []  # numbers of intents that are never sent
        #: Set while orders are a position's way from one deployment to another, at this price.
        self.transfer_price: float | None = None

    def actions(self, rows: Records, executed: Heard | None = None, gone: Collection[int] = ()) -> None:
        """Every action in the engine's order.

        ``executed`` is what the broker said of the order that filled, ``gone`` are orders that do not work there any
        more, which need no telling.
        """
        for row in rows:
            action = Action(int(row["action"]))
            if action is Action.SUBMIT:
                self._submit(row)
            elif action is Action.FILL:
                assert executed is not None and executed.order == int(row["order"]), "a fill of another order"
                self._fill(row, executed, gone)
            elif action is Action.MOVE:
                self._tell(row, "MOVE", "PROTECTIVE_MOVED")
                self._moved(row)
            else:
                self._take_back(row, action, int(row["order"]) in gone)

    def executions(self, found: Iterable[tuple[int, Event]]) -> None:
        """New executions, each once: the only thing that moves position and cash."""
        standing = self.standing
        for order, event in found:
            known = standing.known[order]
            self._execution(order, known, event)
            if order in standing.parts:
                body = {"cid": known.cid, "exec": event.exec_id, "qty": event.qty, "price": event.price}
                self._write(event.ns, "PARTIAL_FILL", body)

    def _execution(self, order: int, known: Known, event: Event) -> None:
        self.standing.counts["fills"] += 1
        self.page.add(
            tables.fills,
            {
                "account": self.given.account,
                "exec_id": event.exec_id,
                "deployment_id": self.given.id,
                "number": self.standing.counts["fills"],
                "cid": known.cid,
                "order_no": order,
                "ns": event.ns,
                "instrument": known.instrument,
                "side": known.side,
                "qty": event.qty,
                "price": event.price,
                "charges": event.charges,
                "kind": known.kind,
                "reason": known.reason,
            },
        )

    def strange(self, event: Event, before: tuple[int, Known] | None, instant_ns: int) -> None:
        """A fill of an order that we do not know to work: kept, for it was executed; what it means a person decides.

        ``before`` is the order as it was when we let go of it, with its number; None if it was never ours.
        """
        standing = self.standing
        order, known = before or (-1, Known(event.cid, event.instrument, event.side, event.qty, "", ""))
        self._execution(order, known, event)
        standing.state, standing.note = "PAUSED_RECONCILE", f"the broker filled order {event.cid}, which works no more"
        self._write(instant_ns, "RECONCILIATION_ACTION", {"unexpected_fill": event._asdict()})

    def overfilled(self, one: Heard, instant_ns: int) -> None:
        """An order that filled although another of the same news had closed its position: more left than there was.

        Its executions are kept; the engine has forgotten the order, and what is held a person must look at.
        """
        standing, cid = self.standing, one.executions[0].cid
        standing.state, standing.note = "PAUSED_RECONCILE", f"order {cid} filled when its position was closed already"
        self._write(instant_ns, "RECONCILIATION_ACTION", {"filled_when_closed": cid, "qty": one.qty})

    def cut(self, order: int, ns: int) -> None:
        """Take back what of an entry has not filled; what has is booked when the broker says that it ended."""
        known = self.standing.known[order]
        self.standing.cut.add(order)
        reduces = known.reason != Reason.ENTRY_SIGNAL.name
        self._intend("CANCEL", order, known, (0.0, ns), reduces)
        self._write(ns, "ORDER_REST_CANCELLED", {"cid": known.cid, "order": order, "instrument": known.instrument})

    def ended(self, order: int, instrument: str, ns: int) -> None:
        """An order that the broker ended, not we, and of which nothing filled."""
        self.page.order(self.standing.known[order].cid, status="CANCELLED")
        self._write(ns, "ORDER_ENDED", {"order": order, "instrument": instrument})

    def decisions(self, rows: Records) -> list[list[str]]:
        """Decisions as lists of instrument, decision, entry and reason; the last one is shown in the status."""
        standing, names = self.standing, self.standing.deployed.names
        # As plain numbers at once: reading field by field takes longer than all the rest of a quiet bar.
        out = [
            [names[k], _DECISIONS[decision], _DECISIONS[entry], _REASONS[reason]]
            for k, decision, entry, reason in map(_DECIDED, rows.tolist())
        ]
        if out:
            standing.decision, standing.reason = out[-1][1], out[-1][3]
        return out

    def trades(self, rows: Records) -> None:
        """Trades that ended."""
        for row in rows:
            body: dict[str, Any] = {name: _number(row[name].item()) for name in rows.dtype.names or ()}
            body["instrument"] = self.standing.deployed.names[int(row["instrument"])]
            body["exit_reason"] = _REASONS[int(row["exit_reason"])]
            self._write(int(row["exit_ns"]), "TRADE_CLOSED", body)

    def notes(self, rows: Records) -> None:
        """What the engine reports of itself."""
        for row in rows:
            name = self.standing.deployed.names[int(row["instrument"])]
            self._write(int(row["ns"]), Note(int(row["note"])).name, {"instrument": name})

    # --- one action --------------------------------------------------------------------------------------------------

    def _submit(self, row: Any) -> None:
        reason, kind, order = int(row["reason"]), _KINDS[int(row["kind"])], int(row["order"])
        name = self.standing.deployed.names[int(row["instrument"])]
        # A part that filled can be protected anew at one instant: the number tells the two orders apart.
        parts = (self.given.id, self.given.strategy_hash, str(int(row["ns"])), name, kind, _REASONS[reason], str(order))
        cid = short_id(*parts)
        self.standing.known[order] = Known(cid, name, int(row["side"]), float(row["qty"]), kind, _REASONS[reason])
        what = "ORDER_INTENT_CREATED" if kind == "open" else "PROTECTIVE_SET"
        if reason in _RISK:
            self._write(int(row["ns"]), "RISK_EXIT_TRIGGERED", {"instrument": name, "reason": _REASONS[reason]})
        self.page.add(
            tables.orders,
            {
                "cid": cid,
                "deployment_id": self.given.id,
                "order_no": order,
                "instrument": name,
                "side": int(row["side"]),
                "qty": float(row["qty"]),
                "kind": kind,
                "reason": _REASONS[reason],
                "price": _level(row),
                "decided_ns": int(row["ns"]),
                "status": "WORKING",
                "filled_qty": 0.0,
                "broker_id": "",
            },
        )
        self._tell(row, "SUBMIT", what)

    def _tell(self, row: Any, action: str, kind: str) -> None:
        """Plan to tell the broker, and write that down."""
        order, reason, ns = int(row["order"]), int(row["reason"]), int(row["ns"])
        known = self.standing.known[order]._replace(qty=float(row["qty"]), reason=_REASONS[reason])
        at = (_level(row), ns)
        if action == "SUBMIT" and self.transfer_price is not None:
            action, at = "TRANSFER", (self.transfer_price, ns)
        self._intend(action, order, known, at, reason != Reason.ENTRY_SIGNAL)
        self._write(ns, kind, self._order(row))

    def _intend(self, action: str, order: int, known: Known, at: tuple[float, int], reduces: bool) -> None:
        """A new intent about an order, at a level and an instant."""
        standing = self.standing
        standing.counts["intents"] += 1
        number, (price, ns) = standing.counts["intents"], at
        request = Request(
            self.given.account, known.cid, action, known.instrument, known.side, known.qty, known.kind, price, reduces,
            order, ns,
        )  # fmt: skip
        entering = action == "SUBMIT" and not reduces
        holds = entering and standing.deployed.one.waits(standing.deployed.number[known.instrument])
        state = IntentState.HELD if holds else IntentState.PLANNED
        if holds:
            standing.held[order] = number
        self.intents.append(Intent(number, request, state))
        self.page.add(
            tables.intents,
            {
                "deployment_id": self.given.id,
                "number": number,
                "action": action,
                "cid": request.cid,
                "order_no": order,
                "instrument": request.instrument,
                "side": request.side,
                "qty": request.qty,
                "kind": request.kind,
                "reason": known.reason,
                "price": request.price,
                "reduces": request.reduces,
                "contingent": False,
                "decided_ns": ns,
                "state": state.value,
                "epoch": self.epoch,
                "sent_ns": 0,
                "detail": "",
            },
        )

    def _moved(self, row: Any) -> None:
        known = self.standing.known[int(row["order"])]
        reason, qty = _REASONS[int(row["reason"])], float(row["qty"])
        self.standing.known[int(row["order"])] = known._replace(reason=reason, qty=qty)
        self.page.order(known.cid, price=float(row["price"]), reason=reason, qty=qty)

    def _fill(self, row: Any, heard: Heard, gone: Collection[int]) -> None:
        """An order that is done; its executions are in ``fills`` already."""
        cid = self.standing.known.pop(int(row["order"])).cid
        self.page.order(cid, status="FILLED", filled_qty=float(row["qty"]))
        executions = [[one.exec_id, one.ns, one.qty, one.price, one.charges] for one in heard.executions]
        body = {**self._order(row, cid), "executions": executions}
        if gone:
            body["gone"] = sorted(gone)
        self._write(int(row["ns"]), "FILLED", body)

    def _take_back(self, row: Any, action: Action, gone: bool) -> None:
        """An order that is wanted no more; one that was held back was never sent, and expires."""
        standing, order = self.standing, int(row["order"])
        no_slot = action is Action.CANCEL_NO_SLOT
        cid = self._cid(row)
        self.page.order(cid, status="CANCELLED_NO_SLOT" if no_slot else "CANCELLED")
        number = standing.held.pop(order, None)
        if number is not None:
            self.expired.append(number)
            self.page.intent(self.given.id, number, state=IntentState.EXPIRED.value, detail="never sent")
        if gone or number is not None:
            self._write(int(row["ns"]), "ORDER_CANCELLED", self._order(row))
        else:
            self._tell(row, "CANCEL", "ORDER_CANCELLED")
        standing.known.pop(order)
        if standing.parts.pop(order, None):
            # Taken back when a part of it had filled: what is held is not what the engine holds, and nobody may guess.
            standing.state, standing.note = "PAUSED_RECONCILE", f"order {cid} was taken back when a part had filled"
            self._write(int(row["ns"]), "RECONCILIATION_ACTION", {"taken_back_with_a_part": cid})

    def _cid(self, row: Any) -> str:
        return self.standing.known[int(row["order"])].cid

    def _order(self, row: Any, cid: str | None = None) -> dict[str, Any]:
        """An action as the journal tells it: enough to make the engine's row again."""
        return {
            "cid": cid or self._cid(row),
            "order": int(row["order"]),
            "instrument": self.standing.deployed.names[int(row["instrument"])],
            "action": Action(int(row["action"])).name,
            "kind": _KINDS[int(row["kind"])],
            "reason": _REASONS[int(row["reason"])],
            "side": int(row["side"]),
            "qty": float(row["qty"]),
            "price": _number(float(row["price"])),
        }

    def _write(self, instant_ns: int, kind: str, body: dict[str, Any]) -> None:
        self.standing.write(self.page, instant_ns, self.at_ns, kind, body)


def _level(row: Any) -> float:
    """Level of a stop or target; 0 where an action has none."""
    price = float(row["price"])
    return 0.0 if price != price else price
