"""The choice that a person makes for a deployment that was paused beside a position of the other direction.

ADOPT: the position changes hands inside the house, at its average price and without the market; from then on this
deployment only exits. FLATTEN: whoever holds it closes it at the next open; this deployment goes on when they have.
STAY: it stays paused. Nothing is chosen by itself, and whoever gives a position away is paused, so that it does not
take the next one.
"""

from __future__ import annotations

import math

from workbench.brokers.port import Unknown
from workbench.live.asking import Answer, Asked
from workbench.live.beside import MISMATCH, Beside, Held, against, beside, mismatch_words
from workbench.live.by_hand import Terms, flatten, hand_over, take_over
from workbench.live.mismatch import CONTINUES, EXIT_ONLY
from workbench.live.page import Page
from workbench.live.reconcile import differences
from workbench.live.runner import Runner
from workbench.live.said import Said
from workbench.live.standing import Standing, Status
from workbench.live.stopping import kept_of, write_down
from workbench.live.wall import written_time

#: What can be chosen, as it is written.
CHOICES = ("ADOPT", "FLATTEN", "STAY")


class Resolving:
    """The three choices, for the deployments of one runner.

    Parameters
    ----------
    runner : Runner
        It holds the lease.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def beside(self, standing: Standing) -> list[Beside]:
        """What is held beside a deployment now."""
        with self._runner.lease.store.read() as connection:
            return beside(self._runner.elsewhere(connection, standing.deployed.given))

    def hindrance(self, standing: Standing) -> str:
        """Why a deployment that waits for a choice may not simply go on; empty if nothing is in its way."""
        found, given = self.beside(standing), standing.deployed.given
        if standing.state != MISMATCH or not against(found, given.strategy.direction):
            return ""
        return mismatch_words(given.name, given.strategy.direction, found)

    def obey(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> tuple[Answer, list[Said]]:
        """Do what was chosen; the words, and what is to be sent when it is committed."""
        name, choice = standing.deployed.given.name, str(one.body.get("choice") or "").upper()
        if choice not in CHOICES:
            return Answer(False, f"there is no choice {choice!r}; there are {', '.join(CHOICES)}."), []
        if standing.state != MISMATCH:
            text = f"{name} is {standing.state}: it does not wait beside a position of the other direction."
            return Answer(False, f"{text} Nothing was changed."), []
        held = against(self.beside(standing), standing.deployed.given.strategy.direction)
        if choice == "STAY":
            return self._stay(page, one, standing, now_ns), []
        if not held:
            text = f"nothing is held against the direction of {name} any more. Resume it: --acknowledged."
            return Answer(False, f"{text} Nothing was changed."), []
        if why := self._unfit(standing, held, choice, now_ns):
            return Answer(False, f"{why} Nothing was changed."), []
        if choice == "FLATTEN":
            return self._flatten(page, one, (standing, held), now_ns)
        return self._adopt(page, one, (standing, held), now_ns)

    def _stay(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        standing.counts.pop(CONTINUES, None)
        standing.status = Status.PAUSED
        standing.note = f"stays paused beside a position of the other direction, as {one.who} chose"
        write_down(page, standing, now_ns, "MISMATCH_RESOLVED", {**one.by(), "choice": "STAY"})
        name = standing.deployed.given.name
        return Answer(True, f"{name} stays paused. Nothing was closed, and nothing is evaluated until you choose anew.")

    def _unfit(self, standing: Standing, held: list[Held], choice: str, now_ns: int) -> str:
        """Why a choice cannot be carried out now; empty if it can."""
        given = standing.deployed.given
        strategy = given.strategy
        if choice == "ADOPT" and given.start_ns > now_ns:
            return f"{given.name} decides nothing before {written_time(given.start_ns)}, and cannot look after it."
        for one in held:
            holder = self._holder(standing, one)
            if holder is None:
                return f"{one.holder or 'who'} holds {one.instrument} and does not run here, so it cannot be moved."
            if choice == "FLATTEN":
                continue
            if one.qty < 0.0 and strategy.product not in ("MIS", "MARGIN"):
                return f"{one.instrument} is held short, and {strategy.product} is long only: choose flatten or stay."
            if standing.deployed.passed_ns < holder.deployed.passed_ns:
                return f"{standing.deployed.given.name} has not come as far as {one.holder} yet: ask again in a moment."
            if why := self._unclear(holder):
                return f"what {one.holder} holds is not clear: {why}."
            row = holder.deployed.desk.positions[holder.deployed.number[one.instrument]]
            parts = any(holder.known[order].instrument == one.instrument for order in holder.parts)
            if row["exit_reason"] != 0 or parts or row["qty"] != one.qty:
                return f"{one.holder} is leaving {one.instrument} already: ask again in a moment."
        return ""

    def _unclear(self, holder: Standing) -> str:
        """Why nobody knows whether a position is there to be handed over; empty if it is."""
        if holder.state.startswith("PAUSED"):
            return f"{holder.state}, {holder.note}"
        try:
            there = self._runner.venue.positions(holder.deployed.given.account)
        except Unknown:
            return "the broker cannot be asked, ask again in a moment"
        return "; ".join(map(str, differences(holder.held_qty(), there)))

    def _holder(self, standing: Standing, held: Held) -> Standing | None:
        """The deployment that holds a position, if it runs here."""
        owner = standing.deployed.given.owner
        every = (one for one in self._runner.standings.values() if one.status is not Status.STOPPED)
        named = (one for one in every if one.deployed.given.name == held.holder)
        return next((one for one in named if one.deployed.given.owner == owner), None)

    # --- what changes hands ------------------------------------------------------------------------------------------

    def _flatten(
        self, page: Page, one: Asked, whose: tuple[Standing, list[Held]], now_ns: int
    ) -> tuple[Answer, list[Said]]:
        (standing, held), saids = whose, dict[str, Said]()
        for holder, parts in self._by_holder(standing, held):
            said = saids[holder.id] = self._said(page, holder, now_ns)
            body = {**one.by(), "for": standing.deployed.given.name, "kept": kept_of(holder).plain()}
            flatten(said, [part.instrument for part in parts], max(now_ns, holder.deployed.passed_ns), body)
            self._pause(page, one, holder, now_ns)
        standing.status, standing.counts[CONTINUES] = Status.RUNNING, 1
        standing.note = "waits until what is held against its direction is closed, then goes on"
        write_down(page, standing, now_ns, "MISMATCH_RESOLVED", {**one.by(), "choice": "FLATTEN", "held": _plain(held)})
        words = "; ".join(f"{one.qty:g} {one.instrument} of {one.holder}" for one in held)
        text = f"{words}: closed at the next open, and whoever held it is paused."
        return Answer(True, f"{text} {standing.deployed.given.name} goes on when it is closed."), list(saids.values())

    def _adopt(
        self, page: Page, one: Asked, whose: tuple[Standing, list[Held]], now_ns: int
    ) -> tuple[Answer, list[Said]]:
        (standing, held), saids = whose, dict[str, Said]()
        given = standing.deployed.given
        for holder, given_away in self._by_holder(standing, held):
            said = saids[holder.id] = self._said(page, holder, now_ns)
            at_ns = max(now_ns, holder.deployed.passed_ns)
            for part in given_away:
                what = {"instrument": part.instrument, "qty": part.qty, "price": part.price}
                holder.write(page, at_ns, now_ns, "POSITION_HANDED_OVER", {**one.by(), **what, "to": given.name})
                hand_over(said, part.instrument, at_ns, part.price)
            self._pause(page, one, holder, now_ns)
        said = saids[standing.id] = self._said(page, standing, now_ns)
        at_ns = max(now_ns, standing.deployed.passed_ns)
        standing.status, standing.state, standing.counts[EXIT_ONLY] = Status.RUNNING, "FLAT", 1
        standing.counts.pop(CONTINUES, None)
        standing.note = "exit only: it took a position over, and enters nothing until it is resumed"
        body = {**one.by(), "choice": "ADOPT", "held": _plain(held)}
        standing.write(page, standing.deployed.passed_ns, now_ns, "MISMATCH_RESOLVED", body)
        for name in sorted({part.instrument for part in held}):
            parts = [part for part in held if part.instrument == name]
            terms = self._terms(standing, parts)
            body = {**one.by(), "instrument": name, **terms._asdict(), "from": [part.holder for part in parts]}
            standing.write(page, at_ns, now_ns, "POSITION_ADOPTED", body)
            assert take_over(said, name, at_ns, terms), "who waits beside a position holds nothing"
        standing.keep(page, now_ns)
        words = "; ".join(f"{part.qty:g} {part.instrument} at {part.price:g} of {part.holder}" for part in held)
        text = f"{given.name} takes over {words}, without the market and its charges, and only exits from now on."
        return Answer(True, f"{text} Whoever held it is paused."), list(saids.values())

    def _terms(self, standing: Standing, parts: list[Held]) -> Terms:
        deployed, qty = standing.deployed, sum(abs(one.qty) for one in parts)
        price = sum(abs(one.qty) * one.price for one in parts) / qty if len(parts) > 1 else parts[0].price
        atr = None
        if deployed.given.strategy.stop_loss_atr is not None:
            found = deployed.steppers[deployed.number[parts[0].instrument]].value("stop_atr")
            atr = None if math.isnan(found) else found
        return Terms(1 if parts[0].qty > 0.0 else -1, qty, price, atr)

    def _by_holder(self, standing: Standing, held: list[Held]) -> list[tuple[Standing, list[Held]]]:
        """Who holds, with what, by name; all of them run here (``_unfit``)."""
        parts: dict[str, list[Held]] = {}
        for one in held:
            parts.setdefault(one.holder, []).append(one)
        found = ((self._holder(standing, parts[name][0]), parts[name]) for name in sorted(parts))
        return [(holder, given_away) for holder, given_away in found if holder is not None]

    def _said(self, page: Page, standing: Standing, now_ns: int) -> Said:
        return Said(standing, page, now_ns, self._runner.lease.epoch)

    def _pause(self, page: Page, one: Asked, holder: Standing, now_ns: int) -> None:
        """Who gave a position away does not take the next one."""
        if holder.status is Status.RUNNING:
            holder.status = Status.PAUSED
            holder.note = f"its position was given away by {one.who}{f': {one.why}' if one.why else ''}"
            write_down(page, holder, now_ns, "PAUSED", {**one.by(), "kept": kept_of(holder).plain()})
        holder.keep(page, now_ns)


def _plain(held: list[Held]) -> list[dict[str, object]]:
    return [{"instrument": one.instrument, "qty": one.qty, "price": one.price, "holder": one.holder} for one in held]
