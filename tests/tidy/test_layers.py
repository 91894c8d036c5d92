"""The layer law of the design, §2: imports go down, and the layers that decide import only what cannot surprise."""

from __future__ import annotations

import sys

import pytest

from tests.tidy.source import Source, imports, listed, snippet, sources

BASE = ("addresses", "errors", "ids", "jit", "schema", "tolerance")
MARKET_TYPES = ("market.grid", "market.resample", "market.timeframe")

#: What a layer may import of the package besides itself. A name stands for itself and everything below it.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "addresses": (),
    "errors": (),
    "ids": (),
    "jit": (),
    "schema": (),
    "tolerance": ("jit",),
    "memory": (),
    "market": (*BASE, "memory"),
    "indicators": BASE,
    "expressions": (*BASE, "indicators", *MARKET_TYPES),
    "costs": (*BASE, "market.instruments", "engine.costs"),
    "strategy": (*BASE, "market", "indicators", "expressions"),
    "engine": (*BASE, "market", "indicators", "expressions", "strategy", "costs"),
    "research": (*BASE, "memory", "market", "indicators", "expressions", "strategy", "costs", "engine"),
    "journal": BASE,
    "brokers": (*BASE, "market"),
    "live": (*BASE, "market", "indicators", "expressions", "strategy", "costs", "engine", "journal", "brokers.port"),
    "views": (*BASE, "journal"),
    "outputs": (*BASE, "views"),
    # Above both sides, which never import each other: what it does is to lay them beside each other.
    "promotion": (
        *BASE, "market", "expressions", "strategy", "costs", "engine", "research", "journal", "live", "views"
    ),
}

#: Modules that may import one thing more than their layer.
EXCEPTIONS: dict[str, tuple[str, ...]] = {
    # Where the five objects are put together that differ between production, replay and simulation.
    "live.assembly": ("brokers.paper", "brokers.paper_accounts"),
    # Its fills are those of the law, and its book is as durable as ours.
    "brokers.paper": ("engine.costs", "engine.fills", "journal"),
    "brokers.paper_accounts": ("engine.records", "journal"),
    "brokers.paper_bars": ("engine.fills",),
}

#: The shell: it may import any layer, and none imports it.
SHELL = ("", "__main__", "cli", "demo", "panels")

#: Outside the package, all that the deciding layers may import. Nothing here knows the time, the disk or a network;
#: ``threading`` is there for a lock around a cache.
PURE = frozenset(
    "__future__ abc ast bisect collections dataclasses decimal difflib enum fractions functools hashlib heapq "
    "itertools lark math numba numbers numpy operator re string struct threading types typing unicodedata".split()
)
DECIDING = ("schema", "tolerance", "errors", "indicators", "expressions", "engine")


def layer_of(module: str) -> str:
    """First part of a module's name below the package."""
    return module.split(".", maxsplit=1)[0]


def covers(names: tuple[str, ...], module: str) -> bool:
    """Whether a module is one of the names or lies below one."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def upward_imports(source: Source) -> list[str]:
    """Imports of the package that the layer law does not allow."""
    layer = layer_of(source.module)
    if source.module in SHELL or layer in SHELL:
        return []
    if layer not in MAY_IMPORT:
        return [f"{source.path}:1: no layer of the design; add it to MAY_IMPORT with what it may import"]
    allowed = (layer, *MAY_IMPORT[layer], *EXCEPTIONS.get(source.module, ()))
    complaints = []
    for node, name in imports(source.tree):
        if name.startswith("."):
            complaints.append(source.at(node, f"relative import {name}"))
        elif layer_of(name) == "workbench" and not covers(allowed, name.removeprefix("workbench").removeprefix(".")):
            complaints.append(source.at(node, f"{layer} may not import {name}"))
    return complaints


def foreign_imports(source: Source) -> list[str]:
    """Imports from outside the package that a deciding layer may not have."""
    if layer_of(source.module) not in DECIDING:
        return []
    named = [(node, name) for node, name in imports(source.tree) if layer_of(name) not in {*PURE, "workbench"}]
    return [source.at(node, f"a deciding layer may not import {name}") for node, name in named]


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a ring, one text a ring found."""
    found: list[str] = []
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        state[module] = 1
        for other in sorted(graph.get(module, ())):
            if state.get(other) == 1:
                found.append(" -> ".join((*path[path.index(other) :], other)))
            elif other not in state:
                visit(other, (*path, other))
        state[module] = 2

    for module in sorted(graph):
        if module not in state:
            visit(module, (module,))
    return found


def import_graph(modules: tuple[Source, ...]) -> dict[str, set[str]]:
    """Module to the modules of the package that it imports as a whole file, at the top level of the file."""
    known = {source.module for source in modules}
    graph: dict[str, set[str]] = {}
    for source in modules:
        top = [node for node in source.tree.body if hasattr(node, "names")]
        named = [name.removeprefix("workbench.") for node in top for _, name in imports_of(node)]
        reached = {name if name in known else name.rpartition(".")[0] for name in named}
        graph[source.module] = (reached & known) - {source.module, ""}
    return graph


def imports_of(node: object) -> list[tuple[object, str]]:
    """Imports of one statement, those of the package only."""
    return [(n, name) for n, name in imports(node) if name.startswith("workbench.")]  # type: ignore[arg-type]


def test_imports_go_down_the_layers() -> None:
    complaints = [text for source in sources("workbench") for text in upward_imports(source)]
    assert not complaints, listed(complaints)


def test_deciding_layers_import_nothing_that_can_surprise() -> None:
    complaints = [text for source in sources("workbench") for text in foreign_imports(source)]
    assert not complaints, listed(complaints)


def test_no_modules_import_each_other_in_a_ring() -> None:
    found = cycles(import_graph(sources("workbench")))
    assert not found, listed(found)


def test_research_and_live_never_import_each_other() -> None:
    assert "live" not in MAY_IMPORT["research"]
    assert "research" not in MAY_IMPORT["live"]


def test_the_law_itself_has_no_ring() -> None:
    graph = {layer: {layer_of(name) for name in names} - {layer} for layer, names in MAY_IMPORT.items()}
    graph["costs"].discard("engine")  # it reads the record type of the engine's charges, the one name above it
    assert not cycles(graph)
    assert set(PURE) <= set(sys.stdlib_module_names) | {"lark", "numba", "numpy"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("workbench/engine/a.py", "from workbench.research.stats import statistics"),
        ("workbench/engine/a.py", "from workbench import research"),
        ("workbench/engine/a.py", "def f():\n    import workbench.live.runner"),
        ("workbench/indicators/a.py", "from workbench.expressions.parse import parse"),
        ("workbench/indicators/a.py", "from workbench.market.timeframe import Timeframe"),
        ("workbench/market/a.py", "from workbench.indicators.ops import Op"),
        ("workbench/research/a.py", "from workbench.live.runner import run"),
        ("workbench/live/a.py", "from workbench.research import backtest"),
        ("workbench/live/a.py", "from workbench.brokers.kite import wire"),
        ("workbench/schema.py", "from workbench.jit import njit"),
        ("workbench/engine/a.py", "from ..research import stats"),
        ("workbench/engine/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import workbench.cli"),
        ("workbench/engine/a.py", "import workbench"),
        ("workbench/oddments/a.py", ""),
    ],
)
def test_an_upward_import_is_seen(path: str, text: str) -> None:
    assert upward_imports(snippet(text, path))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("workbench/engine/a.py", "from workbench.indicators.ops import Op\nfrom workbench.engine.ledger import book"),
        ("workbench/brokers/paper.py", "from workbench.engine.fills import fill_interval"),
        ("workbench/__init__.py", "from workbench.research.backtest import backtest"),
        ("workbench/cli.py", "from workbench.research.backtest import backtest"),
    ],
)
def test_a_downward_import_passes(path: str, text: str) -> None:
    assert not upward_imports(snippet(text, path))


@pytest.mark.parametrize("name", ["time", "random", "logging", "pandas", "os.path", "requests", "pathlib"])
def test_a_surprising_import_is_seen(name: str) -> None:
    assert foreign_imports(snippet(f"import {name}"))
    assert foreign_imports(snippet(f"from {name} import x"))
    assert not foreign_imports(snippet(f"import {name}", "workbench/research/a.py"))


def test_a_ring_is_seen() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]
    assert not cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()})
