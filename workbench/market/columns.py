"""Which column of a table is which, whatever it is called (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workbench.errors import DataError

PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "volume")

#: What each column is also called, in lower case and without signs.
SYNONYMS: Mapping[str, frozenset[str]] = {
    "ts": frozenset({"ts", "timestamp", "datetime", "dateandtime", "opentime", "starttime", "bartime", "candletime",
                     "timestamputc", "tsutc", "datetimeutc", "timeutc", "gmttime", "utctime"}),
    "date": frozenset({"date", "day", "tradedate", "tradingdate", "sessiondate"}),
    "time": frozenset({"time", "timeofday", "clock"}),
    "open": frozenset({"open", "o", "openprice", "op", "opn"}),
    "high": frozenset({"high", "h", "highprice", "hi", "max"}),
    "low": frozenset({"low", "l", "lowprice", "lo", "min"}),
    "close": frozenset({"close", "c", "closeprice", "cl", "last", "closelast"}),
    "volume": frozenset({"volume", "v", "vol", "tickvolume", "tickvol", "tradedvolume", "qty", "quantity",
                         "totaltradedquantity", "totaltradequantity", "tradedquantity", "tottrdqty"}),
    "symbol": frozenset({"symbol", "ticker", "instrument", "tradingsymbol", "scrip"}),
}


def bare(name: object) -> str:
    """A column's name in lower case without anything but letters and digits: ``<Open Price>`` is ``openprice``."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def recognised(names: Sequence[object], given: Mapping[str, str] | None, where: str) -> dict[str, int]:
    """Positions of the columns whose meaning is known.

    Parameters
    ----------
    names : sequence
        Names of a table's columns, in order.
    given : mapping of str to str, optional
        What the user says: our name to the table's; wins over guessing.
    where : str
        File, for messages.

    Returns
    -------
    dict of str to int
        Our names (keys of ``SYNONYMS``) to positions.

    Raises
    ------
    DataError
        Two columns can mean the same, or a column that was named is absent.
    """
    listed = [str(name) for name in names]
    found: dict[str, int] = {}
    for ours, theirs in (given or {}).items():
        if ours not in SYNONYMS:
            raise DataError(f"{where}: columns={{{ours!r}: ...}} is no column of bars. Ours are {', '.join(SYNONYMS)}.")
        if theirs not in listed:
            raise DataError(f"{where}: there is no column {theirs!r}. The file has {', '.join(map(repr, listed))}.")
        found[ours] = listed.index(theirs)
    for ours, called in SYNONYMS.items():
        if ours in found:
            continue
        fitting = [at for at, name in enumerate(listed) if bare(name) in called and at not in found.values()]
        exact = [at for at in fitting if bare(listed[at]) == ours]
        chosen = exact if len(fitting) > 1 and len(exact) == 1 else fitting
        if len(chosen) > 1 or (len(fitting) > 1 and ours in PRICES):
            both = " and ".join(repr(listed[at]) for at in fitting[:2])
            raise DataError(f"{where}: columns {both} can both be {ours!r}. Say which: columns={{{ours!r}: ...}}.")
        if chosen:
            found[ours] = chosen[0]
    return found
