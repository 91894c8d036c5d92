"""The glossary is the authority on words (design §7): what the user meets stands in it, once."""

from __future__ import annotations

import ast
import re
from enum import IntEnum

import numpy as np
import pandas as pd
import pytest

from tests.tidy.source import ROOT, Source, functions, listed, snippet, sources
from workbench import schema
from workbench.research.curve import EquityRows
from workbench.research.stats import statistics

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

#: Rule N5, by table.
COLUMNS = {
    "trades": (
        "instrument direction qty entry_ts entry_price entry_reason exit_ts exit_price exit_reason gross_pnl charges "
        "net_pnl return_frac r_multiple mae_frac mfe_frac bars_held is_open"
    ),
    "fills": "ts instrument side qty price charges reason kind order_id",
    "orders": "ts instrument side qty kind limit_price stop_price reason status order_id",
    "decisions": "ts instrument decision entry reason",
    "equity": "ts_close cash position_value equity drawdown_frac",
}

#: Other words for what has one.
SYNONYMS = {
    "quantity": "qty",
    "num_shares": "qty",
    "ticker": "symbol",
    "pct": "frac",
    "pnl_pct": "return_frac",
    "commission_fee": "charges",
    "stoploss": "stop_loss",
    "takeprofit": "take_profit",
    "candle": "bar",
    "candles": "bars",
    "bar_size": "timeframe",
}


def terms(text: str) -> set[str]:
    """Everything that is bold at the start of an entry, or in code anywhere."""
    return set(re.findall(r"\*\*([^*]+)\*\*", text)) | set(re.findall(r"`([^`]+)`", text))


def headwords(text: str) -> list[str]:
    """What entries begin with."""
    return re.findall(r"^- \*\*([^*]+)\*\*", text, flags=re.MULTILINE)


def synonyms_in(source: Source) -> list[str]:
    """Names of functions, classes, parameters and fields that use another word for what has one."""
    names: list[tuple[ast.AST, str]] = []
    for name, node in functions(source.tree):
        given = node.args
        names.append((node, name.rpartition(".")[2]))
        names += [(a, a.arg) for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    fields = [node for node in ast.walk(source.tree) if isinstance(node, ast.AnnAssign)]
    names += [(node, node.target.id) for node in fields if isinstance(node.target, ast.Name)]
    complaints = []
    for node, name in names:
        for word, better in SYNONYMS.items():
            if re.search(rf"(?:^|_){word}(?:_|$)", name.lower()) and name.upper() != name:
                complaints.append(source.at(node, f"{name}: the glossary says {better}"))
    return complaints


def statistics_names() -> set[str]:
    """Names of all statistics, the benchmark's too."""
    sessions = np.arange(2, dtype=np.int32)
    rows = EquityRows(np.ones(2), np.ones(2), np.zeros(2, bool), sessions, sessions, 1.0, 252.0)
    trades = pd.DataFrame({"is_open": [], "net_pnl": [], "return_frac": [], "r_multiple": [], "bars_held": []})
    fills = pd.DataFrame({"qty": [], "price": [], "charges": []})
    benchmark = pd.Series([1.0, 2.0], index=pd.to_datetime([0, 1], unit="D"))
    return set(statistics(rows, trades, fills, benchmark=benchmark))


@pytest.mark.parametrize("table", COLUMNS)
def test_every_column_is_in_the_glossary(table: str) -> None:
    missing = set(COLUMNS[table].split()) - terms(GLOSSARY)
    assert not missing, sorted(missing)


@pytest.mark.parametrize("enum", [schema.Decision, schema.Reason, schema.OrderKind, schema.OrderStatus])
def test_every_decision_reason_and_status_is_in_the_glossary(enum: type[IntEnum]) -> None:
    missing = {member.name for member in enum} - {"NONE"} - terms(GLOSSARY)
    assert not missing, sorted(missing)


def test_every_statistic_is_in_the_glossary() -> None:
    missing = statistics_names() - terms(GLOSSARY)
    assert not missing, sorted(missing)


def test_every_setting_of_a_strategy_is_in_the_glossary() -> None:
    record = next(source for source in sources("workbench") if source.path.endswith("strategy/record.py"))
    strategy = next(node for node in record.tree.body if isinstance(node, ast.ClassDef) and node.name == "Strategy")
    annotated = [node.target for node in strategy.body if isinstance(node, ast.AnnAssign)]
    fields = {target.id for target in annotated if isinstance(target, ast.Name) and not target.id.startswith("_")}
    missing = fields - terms(GLOSSARY)
    assert len(fields) > 30
    assert not missing, sorted(missing)


def test_an_entry_stands_once() -> None:
    words = [word.lower() for word in headwords(GLOSSARY) if not word.isupper()]
    repeated = sorted({word for word in words if words.count(word) > 1})
    assert not repeated, repeated


def test_the_package_uses_the_words_of_the_glossary() -> None:
    complaints = [text for source in sources("workbench") for text in synonyms_in(source)]
    assert not complaints, listed(complaints)


@pytest.mark.parametrize(
    "text",
    ["def f(quantity): pass", "def f(*, stop_pct): pass", "def ticker_of(x): pass", "class A:\n    bar_size: int"],
)
def test_another_word_is_seen(text: str) -> None:
    assert synonyms_in(snippet(text))


def test_terms_are_read() -> None:
    text = "- **bar** – a thing. **tick** – small.\n| `qty` | count |\n- **BAR** – x\n"
    assert terms(text) == {"bar", "tick", "qty", "BAR"}
    assert headwords(text) == ["bar", "BAR"]
    assert not synonyms_in(snippet("def f(qty, stop_loss_frac): pass\nPERF_PCT = 1"))
