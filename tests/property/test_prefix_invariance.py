"""P2 on real data: what is decided on a prefix of the data is what is decided on the whole, up to there.

Decisions, orders, fills and equity of ``data[:t]`` are compared with those of the whole up to the last close of the
prefix. A row is compared in every column, to the last bit. The prefix is made from the raw rows, so that loading, the
grid, resampling and evaluation are inside the law too.
"""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.property.real_strategies import WORLDS, Loader, World

TABLES = ("decisions", "fills", "orders", "equity", "notes")
RANDOM_PREFIXES = 12
#: An exhaustive window: a prefix that ends at each of these many rows in turn.
WINDOW = 40


def cut(frames: dict[str, pd.DataFrame], end: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Rows that open before an instant."""
    return {name: frame.loc[frame.index < end] for name, frame in frames.items()}


def known(result: wb.Result, until: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """What a result says of the time up to an instant, inclusive of what closes then.

    An order's status and its level may change later, so that an order is compared as it was sent, and its changes
    through fills and positions.
    """
    sent = result.orders[["ts", "instrument", "side", "qty", "kind", "order_id"]]
    tables = {
        "decisions": result.decisions,
        "fills": result.fills,
        "orders": sent,
        "notes": result.notes[result.notes["instrument"] != ""],
    }
    found = {}
    for name, table in tables.items():
        # A fill is stamped at the opening of its bar; the prefix knows it only when that bar has closed. A protective
        # order is sent with its fill.
        late = table["ts"] >= until if name == "fills" else table["ts"] > until
        rows = table[~late].copy()
        for column in rows.select_dtypes("category"):
            rows[column] = rows[column].astype(str)
        found[name] = rows.reset_index(drop=True)
    found["orders"] = without_last_fills(found["orders"], until)
    found["equity"] = result.equity[result.equity.index <= until]
    return found


def without_last_fills(orders: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Leave out protective orders that are sent by a fill at the very end: its bar is not in the prefix."""
    return orders[~((orders["ts"] == until) & (orders["kind"] != "open"))].reset_index(drop=True)


def assert_prefix(
    world: World, frames: dict[str, pd.DataFrame], whole: wb.Result, end: pd.Timestamp, calendar: Any
) -> int:
    """Fail unless the prefix before ``end`` agrees with the whole; the number of decisions compared."""
    part = cut(frames, end)
    if not all(len(frame) for frame in part.values()):
        return 0
    result = wb.backtest(world.strategy(), world.bars(part, calendar), costs=world.costs)
    until = result.equity.index[-1]
    ours, theirs = known(result, until), known(whole, until)
    for table in TABLES:
        pd.testing.assert_frame_equal(
            ours[table], theirs[table], check_exact=True, obj=f"{table} of the prefix to {until}"
        )
    return len(ours["decisions"])


def calendar_of(world: World, nse: Any) -> Any:
    """The calendar of a world."""
    return nse if world.files[0].startswith("nse") else wb.resolve_calendar("XNYS")


@pytest.mark.parametrize("name", WORLDS)
def test_P2_decisions_on_random_prefixes_are_those_of_the_whole(name: str, real_frame: Loader, nse: Any) -> None:
    world = WORLDS[name]
    frames, calendar = world.frames(real_frame), calendar_of(world, nse)
    whole = wb.backtest(world.strategy(), world.bars(frames, calendar), costs=world.costs)
    assert len(whole.fills) > 40, "too few fills to prove anything"
    rng, longest = random.Random(name), max(frames.values(), key=len)
    compared = sum(
        assert_prefix(world, frames, whole, longest.index[rng.randrange(300, len(longest))], calendar)
        for _ in range(RANDOM_PREFIXES)
    )
    assert compared > 500


@pytest.mark.parametrize("name", WORLDS)
def test_P2_every_prefix_of_a_window_decides_as_the_whole(name: str, real_frame: Loader, nse: Any) -> None:
    world = WORLDS[name]
    frames, calendar = world.frames(real_frame), calendar_of(world, nse)
    # A short history keeps forty runs quick; the window lies where the strategy trades.
    short = {instrument: frame.iloc[: len(frame) // 3] for instrument, frame in frames.items()}
    whole = wb.backtest(world.strategy(), world.bars(short, calendar), costs=world.costs)
    longest = max(short.values(), key=len)
    busy = longest.index.searchsorted(whole.fills["ts"].iloc[len(whole.fills) // 2])
    first = min(max(60, busy - WINDOW // 2), len(longest) - WINDOW)
    compared = [assert_prefix(world, short, whole, end, calendar) for end in longest.index[first : first + WINDOW]]
    assert len(compared) == WINDOW and compared[-1] > compared[0]


def test_P2_a_prefix_of_other_prices_is_seen(real_frame: Loader, nse: Any) -> None:
    name = "one long, three timeframes, all stops"
    world = WORLDS[name]
    frames = world.frames(real_frame)
    whole = wb.backtest(world.strategy(), world.bars(frames, nse), costs=world.costs)
    # As if history had been revised afterwards: what was known at the time was different.
    end = frames["NSE:RELIANCE"].index[3_000]
    revised = {key: frame.copy() for key, frame in frames.items()}
    for frame in revised.values():
        frame.loc[frame.index < end, ["open", "high", "low", "close"]] *= 1.01
    with pytest.raises(AssertionError, match="of the prefix to"):
        assert_prefix(world, revised, whole, end, nse)
