"""S, D8: how much, whether there is a slot, and which leaving positions an entry waits for."""

from __future__ import annotations

from typing import Any

from tests.reference.numbers import less_equal, whole_lots
from tests.reference.world import Book, Order, World


class Desk:
    """Sizes and sends the entries of one strategy bar."""

    def __init__(self, world: World, book: Book, i: int) -> None:
        """At the close of interval ``i``, with the exits of this instant in ``book.leaving``."""
        self.world, self.book = world, book
        self.now, self.session = world.grid[i]["close_ns"], world.grid[i]["session"]
        self.leaving = sorted(book.leaving, key=lambda order: order.instrument)  # D8: by instrument name
        self.slot_budget = self.cash_per_slot()  # S2: computed once per bar

    # ---- slots and cash -------------------------------------------------------------------------------------

    def slots_left(self, named: list[Order]) -> int:
        """D8: open + working (earlier ones and those decided so far) - exits, against max_open_positions."""
        used = len(self.book.positions) + len(self.book.entries) - len(named)
        return self.world.strategy["max_open_positions"] - used

    def free_cash(self, named: list[Order]) -> float:
        """S4: equity less margin of positions and reserves of entries, plus what the named exits release."""
        book, margin = self.book, self.world.margin
        held = sum(abs(p.qty) * book.marks[name] * margin for name, p in sorted(book.positions.items()))
        reserved = sum(order.reserve for order in book.entries)
        released = sum(self.release(order) for order in named) if self.world.strategy["reuse_exit_proceeds"] else 0.0
        return book.equity - held - reserved + released

    def release(self, order: Order) -> float:
        """S4, point 4: margin at the mark, net of slippage and estimated charges."""
        mark, slip = self.book.marks[order.instrument], self.world.slippage
        same_session = self.book.positions[order.instrument].session == self.session
        charges = self.world.charges(self.now, order.side, order.qty, mark * (1 + order.side * slip), same_session)
        return order.qty * mark * self.world.margin - order.qty * mark * slip - charges

    def cash_per_slot(self) -> float:
        """S2: free cash / free slots, with every exit of this instant counted."""
        slots = self.slots_left(self.leaving)
        return self.free_cash(self.leaving) / slots if slots > 0 else 0.0

    # ---- one entry ------------------------------------------------------------------------------------------

    def try_entry(self, name: str, side: int, signal: dict[str, Any]) -> str:
        """The decision for one unblocked candidate; sends the order when there is one."""
        if self.slots_left(self.leaving) <= 0:
            return "BLOCKED_SLOTS"
        price = signal["close"] * (1 + self.world.slippage)  # S1, S3, point 12
        lot = self.world.instruments[name]["lot"]
        affordable = self.affordable_lots(self.wanted_lots(signal, price, lot), side, price, lot)
        if affordable == 0:
            return "BLOCKED_CASH"  # S3: cash alone gives zero
        lots = min([affordable] + [whole_lots(cap / price, lot) for cap in self.caps(name)])  # S3
        if lots == 0:
            return "BLOCKED_CAP"
        self.send(name, side, lots * lot, price, signal)
        return "ENTRY_TRUE"

    def wanted_lots(self, signal: dict[str, Any], price: float, lot: float) -> int:
        """S2, S3: what the policy asks for, before cash and caps."""
        policy, *values = self.world.strategy["sizing"]
        equity = self.book.equity
        if policy == "PercentOfEquity":
            return whole_lots(equity * values[0] / price, lot)
        if policy == "FixedCash":
            return whole_lots(values[0] / price, lot)
        if policy == "CashPerSlot":
            return whole_lots(self.slot_budget / price, lot)
        if policy == "FixedQty":
            return whole_lots(values[0], lot)
        if policy == "RiskPerTrade":
            by_leverage = whole_lots(equity * values[1] / price, lot)
            distance = self.stop_distance(signal)
            if distance <= 0:
                return by_leverage  # a flat ATR: risk asks for infinitely much
            return min(by_leverage, whole_lots(equity * values[0] / distance, lot))
        raise ValueError(f"unknown sizing policy {policy}")

    def stop_distance(self, signal: dict[str, Any]) -> float:
        """S2: k * ATR, else stop_loss_frac * close, else trailing_stop_frac * close."""
        strategy = self.world.strategy
        if strategy["stop_loss_atr"] is not None:
            return strategy["stop_loss_atr"] * signal["atr"]
        if strategy["stop_loss_frac"] is not None:
            return strategy["stop_loss_frac"] * signal["close"]
        return strategy["trailing_stop_frac"] * signal["close"]

    def affordable_lots(self, lots: int, side: int, price: float, lot: float) -> int:
        """S3: reduced until cost + estimated charges <= free cash; FixedQty is all or nothing."""
        free = self.free_cash(self.leaving)
        if self.world.strategy["sizing"][0] == "FixedQty":
            return lots if less_equal(self.need(lots * lot, side, price), free) else 0
        # no more than the cost alone allows, with room for E5: the steps below then end soon
        lots = min(lots, whole_lots(free * (1 + 1e-8) / (price * self.world.margin), lot) + 1)
        while lots > 0 and not less_equal(self.need(lots * lot, side, price), free):
            lots -= 1
        return max(lots, 0)

    def need(self, qty: float, side: int, price: float) -> float:
        """S3, S4: cost (with margin) + estimated charges; also what a working entry reserves."""
        return qty * price * self.world.margin + self.world.charges(self.now, side, qty, price, True)

    def caps(self, name: str) -> list[float]:
        """S3: the money each cap leaves for this entry."""
        strategy, equity, found = self.world.strategy, self.book.equity, []
        if strategy["max_symbol_alloc_frac"] is not None:
            found.append(strategy["max_symbol_alloc_frac"] * equity)
        if strategy["max_symbol_exposure"] is not None:
            found.append(strategy["max_symbol_exposure"])
        sector = (strategy["sectors"] or {}).get(name)
        if strategy["sector_cap_frac"] is not None and sector is not None:
            found.append(strategy["sector_cap_frac"] * equity - self.sector_others(name, sector))
        return found

    def sector_others(self, name: str, sector: str) -> float:
        """Point 2: other open positions at their marks, other entries at their decision's price."""
        sectors, book = self.world.strategy["sectors"], self.book
        open_ = sum(p.qty * book.marks[n] for n, p in sorted(book.positions.items())
                    if n != name and sectors.get(n) == sector)
        entering = sum(order.qty * order.sizing_price for order in book.entries
                       if order.instrument != name and sectors.get(order.instrument) == sector)
        return open_ + entering

    # ---- sending --------------------------------------------------------------------------------------------

    def send(self, name: str, side: int, qty: float, price: float, signal: dict[str, Any]) -> None:
        """X1: a market order for the next base bar's open, with its reserve and the exits it waits for."""
        reserve = self.need(qty, side, price)
        named = self.exits_needed(name, reserve)
        order = self.book.new_order(
            ts=self.now, instrument=name, side=side, qty=qty, kind="open", reason="ENTRY_SIGNAL",
            session=self.session, sizing_price=price, atr=signal["atr"], reserve=reserve, named=named,
        )
        self.book.entries.append(order)
        self.book.sent += 1  # D6: entry orders sent

    def exits_needed(self, name: str, need: float) -> list[Order]:
        """D8, point 3: its own exit when it reverses, then the fewest others by name with which slots and cash do."""
        own = [order for order in self.leaving if order.instrument == name]
        others = [order for order in self.leaving if order.instrument != name]
        for j in range(len(others) + 1):
            named = own + others[:j]
            if self.slots_left(named) > 0 and less_equal(need, self.free_cash(named)):
                return named
        return own + others
