"""Random data on strange weeks: ``wb.backtest`` does what the slow reference of the law does.

Here the reference is given sessions, intervals and signals that are written out by hand below, while the product reads
them from an uploaded calendar, its own grid, its own coarser bars and expressions. Whatever differs is in between.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pandas as pd
import pytest

import workbench as wb
from tests.reference import run as law
from tests.worked import ENTRY, EXIT, WORDS, strategy

MINUTE = 60 * 10**9


class World(NamedTuple):
    """A calendar by name, its base bars, and its sessions written out: date, UTC offset, parts in local minutes."""

    calendar: str
    base: str
    tick: float
    proxy: bool  # whether the base has an instant at the proxy close
    clocks: tuple[str, ...]  # wall times to choose from, ascending
    sessions: tuple[tuple[str, int, tuple[tuple[int, int], ...]], ...]


#: NSE trades as the uploaded rows say: off the grid, with a pause, five minutes, on a Saturday. 09:15 is minute 555.
BROKEN = World(
    "NSE",
    "5m",
    0.05,
    True,
    ("09:20", "09:30", "09:38", "09:40", "18:17", "18:20"),
    (
        ("2024-01-08", 330, ((555, 600),)),
        ("2024-01-09", 330, ((555, 592),)),
        ("2024-01-10", 330, ((555, 570), (585, 600))),
        ("2024-01-11", 330, ((1095, 1100),)),
        ("2024-01-12", 330, ((555, 600),)),
        ("2024-01-13", 330, ((555, 600),)),
    ),
)
#: New York around the 4th of July, and around the change of clocks in March. 09:30 is minute 570.
JULY = World(
    "XNYS",
    "15m",
    0.01,
    False,
    ("09:45", "10:30", "12:55", "13:00", "14:01"),
    (
        ("2024-07-02", -240, ((570, 960),)),
        ("2024-07-03", -240, ((570, 780),)),
        ("2024-07-05", -240, ((570, 960),)),
    ),
)
MARCH = World(
    "XNYS",
    "5m",
    0.01,
    True,
    ("09:35", "10:30", "12:55", "15:00", "15:50"),
    (
        ("2024-03-08", -300, ((570, 960),)),
        ("2024-03-11", -240, ((570, 960),)),
    ),
)
#: From 17:00 of the day before; New York's clocks change on Sunday morning, while nothing trades.
NIGHTS = World(
    "FX",
    "1h",
    0.00001,
    False,
    ("04:00", "10:30", "17:00", "20:00"),
    (
        ("2024-03-07", -300, ((-420, 1020),)),
        ("2024-03-08", -300, ((-420, 1020),)),
        ("2024-03-11", -240, ((-420, 1020),)),
    ),
)
#: Labelled by date; the early close and the holiday are in it.
DAYS = World(
    "XNYS",
    "1d",
    0.01,
    False,
    ("09:45", "13:00", "16:01"),
    (
        *((f"2024-06-{day}", -240, ((570, 960),)) for day in (20, 21, 24, 25, 26, 27, 28)),
        *((f"2024-07-0{day}", -240, ((570, 780 if day == 3 else 960),)) for day in (1, 2, 3, 5, 8, 9)),
    ),
)


def at(date: str, minutes: int, offset: int) -> int:
    """Instant of a local time, ns UTC."""
    return pd.Timestamp(date, tz="UTC").value + (minutes - offset) * MINUTE


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> wb.Calendar:
    """NSE with the broken week uploaded."""
    home = tmp_path_factory.mktemp("week")
    lines = ["date,exchange,session_type,open_time,close_time,notes"]
    for date, _, parts in BROKEN.sessions:
        lines += [
            f"{date},NSE,SPECIAL," + ",".join(f"{m // 60:02d}:{m % 60:02d}" for m in part) + "," for part in parts
        ]
    (home / "week.csv").write_text("\n".join(lines) + "\n")
    return wb.import_calendar(home / "week.csv", home=home)["NSE"]


def length_of(timeframe: str) -> int:
    """Minutes; a day holds every session."""
    return {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "1d": 2880}[timeframe]


def written_out(world: World) -> tuple[list[dict[str, Any]], list[dict[str, int]]]:
    """Sessions and base intervals as the law has them (B1, B2, C2, C4)."""
    sessions, grid = [], []
    for number, (date, offset, parts) in enumerate(world.sessions):
        close = at(date, parts[-1][1], offset)
        sessions.append(
            {
                "date": pd.Timestamp(date).value // (1440 * MINUTE),
                "open_ns": at(date, parts[0][0], offset),
                "close_ns": close,
                "proxy_close_ns": close - 5 * MINUTE,
                "sell_end_ns": at(date, parts[0][0] + 5, offset),
                "known": True,
                "utc_offset_ns": offset * MINUTE,
            }
        )
        step = length_of(world.base)
        for first, last in parts:
            for start in range(first, last, step):
                ends = at(date, min(start + step, last), offset)
                grid.append({"open_ns": at(date, start, offset), "close_ns": ends, "session": number})
    return sessions, grid


def strategy_bars(given: Any, sessions: Any, grid: Any) -> dict[int, list[int]]:
    """Intervals of each strategy bar by the interval that closes it (B3); proxy_close cuts the day (X3)."""
    groups: dict[tuple[int, int], list[int]] = {}
    for i, interval in enumerate(grid):
        session = sessions[interval["session"]]
        length = length_of(given["timeframe"])
        if given["execution"] == "proxy_close" and interval["close_ns"] > session["proxy_close_ns"]:
            continue
        part = (interval["open_ns"] - session["open_ns"]) // (length * MINUTE)
        groups.setdefault((interval["session"], part), []).append(i)
    return {members[-1]: members for members in groups.values()}


def walk(dice: random.Random, n: int) -> dict[int, tuple[float, float, float, float, float]]:
    """Bars on whole and half prices with gaps, signals in their volume; the first and the last interval have one."""
    price, found = 100.0, {}
    gaps, signals = dice.choice([0.0, 0.2, 0.5]), dice.choice([0.2, 0.5])
    for i in range(n):
        if 0 < i < n - 1 and dice.random() < gaps:
            continue
        opens = price + dice.choice([0, 0, 0.5, -0.5, 2, -2])
        close = opens + dice.choice([0, 0.5, -0.5, 1, -1, 2, -2])
        high, low = max(opens, close) + dice.choice([0, 0.5, 1]), min(opens, close) - dice.choice([0, 0.5, 1])
        code = dice.choice([1, 2, 4, 8, 3, 5, 6, 9]) if dice.random() < signals else 0
        found[i] = (opens, high, low, close, float(code))
        price = close if 60 < close < 140 else 100.0
    return found


def signals(bars: dict[int, Any], closes: dict[int, list[int]]) -> dict[int, dict[str, Any]]:
    """What the expressions of ``tests.worked`` say of each strategy bar: its volume is the sum of its base bars'.

    With ATR(2), Wilder's: the mean of the first two true ranges, from the second bar on, then half old and half new.
    """
    said: dict[int, dict[str, Any]] = {}
    ranges: list[float] = []
    before = atr = None
    for close, members in closes.items():
        inside = [bars[i] for i in members if i in bars]
        if not inside:
            continue
        high, low, last = max(bar[1] for bar in inside), min(bar[2] for bar in inside), inside[-1][3]
        if before is not None:
            ranges.append(max(high, before) - min(low, before))
            atr = (ranges[-1] + (sum(ranges) - ranges[-1] if len(ranges) == 2 else atr or 0.0)) / 2
        before = last
        code = int(sum(bar[4] for bar in inside))
        words = zip(("entry", "exit", "short_entry", "short_exit"), WORDS.values(), strict=True)
        said[close] = {name: code < 16 and bool(code & bit) for name, bit in words}
        said[close] |= {"warm": True, "rank": last, "atr": atr if len(ranges) > 1 else None, "close": last}
    return said


def fields(dice: random.Random, world: World) -> dict[str, Any]:
    """A strategy's fields, under the names that both use."""
    product = dice.choice(["CNC", "MIS", "MARGIN"] if world.proxy else ["CNC", "MARGIN"])
    proxy = world.proxy and product != "MIS" and dice.random() < 0.3
    daily = world.base == "1d"
    coarser = {"5m": ["5m", "5m", "15m"], "15m": ["15m", "30m", "2h"], "1h": ["1h", "4h", "1d"], "1d": ["1d"]}

    def maybe(odds: float, *values: Any) -> Any:
        return dice.choice(values) if dice.random() < odds else None

    trailing = maybe(0.4, 0.01, 0.02)
    by_range = dice.random() < 0.25
    drawn = {
        "product": product,
        "direction": "LONG" if product == "CNC" else dice.choice(["LONG", "SHORT", "BOTH", "BOTH"]),
        "execution": "proxy_close" if proxy else "next_open",
        "timeframe": "1d" if proxy else dice.choice(coarser[world.base]),
        "sizing": dice.choice([("FixedQty", 10.0), ("PercentOfEquity", 0.5), ("CashPerSlot",), ("FixedCash", 1_500.0)]),
        "allocation": dice.choice(["EQUAL", "RANKING"]),
        "max_open_positions": dice.choice([1, 2, 3]),
        "stop_loss_frac": None if by_range else maybe(0.5, 0.01, 0.02),
        "stop_loss_atr": dice.choice([0.5, 1.5]) if by_range else None,
        "take_profit_frac": maybe(0.5, 0.01, 0.02),
        "trailing_stop_frac": trailing,
        "trailing_activation_frac": 0.0 if trailing is None else dice.choice([0.0, 0.01]),
        "stop_execution": dice.choice(["intrabar", "intrabar", "close"]),
        "ambiguous_bar": dice.choice(["stop", "target"]),
        "target_touch": dice.choice(["touch", "through"]),
        "min_holding_bars": dice.choice([0, 0, 1]),
        "max_holding_bars": maybe(0.2, 1, 3),
        "cooldown_bars": dice.choice([0, 0, 1, 2]),
        "max_trades_per_day": maybe(0.2, 1, 2),
        "entry_window": maybe(0.15, (world.clocks[0], world.clocks[-1]), (world.clocks[1], world.clocks[-1])),
        "exit_time": None if proxy or daily else maybe(0.3, "-7m", *world.clocks),
        "max_drawdown_frac": maybe(0.15, 0.02),
        "daily_loss_limit_frac": maybe(0.15, 0.005),
        "max_trade_drawdown_frac": maybe(0.15, 0.003),
        "max_symbol_alloc_frac": maybe(0.15, 0.3),
        "max_symbol_exposure": maybe(0.15, 900.0),
        "sector_cap_frac": maybe(0.2, 0.4),
        "sectors": {f"{world.calendar}:A": "oil", f"{world.calendar}:B": "steel", f"{world.calendar}:C": "oil"},
        "margin_frac": maybe(0.3, 0.5) if product != "CNC" else None,
        "reuse_exit_proceeds": dice.random() < 0.7,
    }
    if drawn["timeframe"] == "1d" and not proxy:
        drawn["exit_time"] = None  # a contradiction: nothing could enter
    if drawn["entry_window"] and (drawn["exit_time"] or "-") > "0" and drawn["exit_time"] <= drawn["entry_window"][0]:
        drawn["entry_window"] = None  # the same
    if drawn["max_holding_bars"] is not None:
        drawn["min_holding_bars"] = min(drawn["min_holding_bars"], drawn["max_holding_bars"])
    return drawn


def product_run(given: dict[str, Any], data: dict[str, Any], grid: Any, calendar: Any, more: dict[str, Any]) -> Any:
    """The same through the public names."""
    made = {}
    for name, of in data.items():
        index = pd.DatetimeIndex([grid[i]["open_ns"] for i in of], tz="UTC", name="ts")
        index = index.normalize() if more["base"] == "1d" else index
        frame = pd.DataFrame(of.values(), index=index, columns=["open", "high", "low", "close", "volume"])
        made[name] = wb.Bars(frame, more["base"], calendar)
    policy, *arguments = given["sizing"]
    rank = "close" if given["allocation"] == "RANKING" else None
    said = {"entry": ENTRY, "exit": EXIT, "rank": rank, "sizing": getattr(wb, policy)(*arguments)}
    said |= {"sectors": {name: given["sectors"][name] for name in made}, "stop_loss_atr_length": 2}
    plan = strategy(made, **(given | said))
    costs = wb.costs.bps(more["commission"] * 1e4, more["slippage"] * 1e4)
    start = None if more["start"] is None else pd.Timestamp(more["start"], tz="UTC")
    return wb.backtest(plan, made, initial_cash=5_000, costs=costs, start=start)


def expected(given: dict[str, Any], data: dict[str, Any], sessions: Any, grid: Any, more: dict[str, Any]) -> Any:
    """What the law says."""
    closes = strategy_bars(given, sessions, grid)
    opens = {}
    for close, members in closes.items():
        session = sessions[grid[close]["session"]]
        length = length_of(given["timeframe"]) * MINUTE
        part = (grid[members[0]]["open_ns"] - session["open_ns"]) // length
        opens[close] = session["open_ns"] + part * length
    return law(
        strategy={name: value for name, value in given.items() if name != "timeframe"},
        instruments={name: {"tick": more["tick"], "lot": 1.0} for name in data},
        sessions=sessions,
        grid=grid,
        bars=data,
        strategy_closes=set(closes),
        strategy_opens=opens,
        signals={name: signals(of, closes) for name, of in data.items()},
        costs={
            "slippage_frac": more["slippage"],
            "charges": lambda ts_ns, side, qty, price, same: qty * price * more["commission"],
        },
        initial_cash=5_000.0,
        start_ns=more["start"],
    )


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Rows with instants as ns and money to six places."""
    plain = [frame[c].astype("datetime64[ns, UTC]").astype("int64") if c.endswith("ts") else frame[c] for c in columns]
    return [tuple(tidy(value) for value in row) for row in zip(*plain, strict=True)]


def theirs(found: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """The reference's rows in the same form."""
    return [tuple(tidy(row[c]) for c in columns) for row in found]


def tidy(value: Any) -> Any:
    """Rounding aside, and one form of missing."""
    if value is None or value != value or value == "":
        return None
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "world", [BROKEN, JULY, MARCH, NIGHTS, DAYS], ids=["broken", "july", "march", "nights", "days"]
)
def test_D3_backtest_and_the_reference_of_the_law_agree(world: World, seed: int, broken: wb.Calendar) -> None:
    dice = random.Random(seed)
    sessions, grid = written_out(world)
    data = {f"{world.calendar}:{symbol}": walk(dice, len(grid)) for symbol in "ABC"[: dice.choice([1, 2, 3])]}
    given = fields(dice, world)
    start = dice.choice(grid[: len(grid) // 2])["open_ns"] if dice.random() < 0.2 else None
    more = {"commission": dice.choice([0.0, 0.001]), "slippage": dice.choice([0.0, 0.001]), "start": start}
    more |= {"base": world.base, "tick": world.tick}
    ours = product_run(given, data, grid, broken if world is BROKEN else world.calendar, more)
    told = expected(given, data, sessions, grid, more)
    for name, columns in {
        "decisions": ("ts", "instrument", "decision", "entry", "reason"),
        "orders": ("ts", "instrument", "side", "qty", "kind", "limit_price", "stop_price", "reason", "status"),
        "fills": ("ts", "instrument", "side", "qty", "price", "charges", "reason", "kind"),
        "trades": ("instrument", "entry_ts", "qty", "entry_price", "exit_price", "r_multiple", "mae_frac", "bars_held"),
    }.items():
        frame = getattr(ours, name)
        frame = frame.astype({c: object for c in ("decision", "entry", "reason", "instrument") if c in frame})
        found, wanted = rows(frame, *columns), theirs(told[name], *columns)
        if name == "orders":  # as sent; the stop and the target of one fill in any order
            assert [row for row in found if row[4] == "open"] == [row for row in wanted if row[4] == "open"]
            found, wanted = sorted(found, key=str), sorted(wanted, key=str)
        assert found == wanted, name
    assert rows(ours.equity.reset_index(names="ts"), "ts", "cash", "equity") == theirs(
        told["equity"], "ts", "cash", "equity"
    )
    noted = ours.notes[ours.notes.instrument != ""]
    assert rows(noted, "ts", "instrument", "note") == theirs(told["notes"], "ts", "instrument", "note")
