"""What the law forbids to write: clocks, I/O, randomness and logging where decisions are made; mode flags anywhere."""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest

from tests.tidy.source import FUNCTIONS, Source, dotted, imports, listed, snippet, sources

#: Layers and modules whose functions are pure, as prefixes of a path. ``jit`` alone reads the environment and the disk.
PURE_PATHS = (
    "workbench/schema.py",
    "workbench/tolerance.py",
    "workbench/errors.py",
    "workbench/indicators/",
    "workbench/expressions/",
    "workbench/engine/",
    "workbench/market/bars.py",
    "workbench/market/grid.py",
    "workbench/market/resample.py",
    "workbench/market/sessions.py",
    "workbench/market/timeframe.py",
    "workbench/research/curve.py",
    "workbench/research/stats.py",
    "workbench/live/reconcile.py",
    "workbench/views/",
)

#: Calls that read a clock, a disk, a network or the environment, or that leave a trace: the end of a dotted name.
IMPURE_CALLS = frozenset(
    "open print input breakpoint datetime.now datetime.utcnow datetime.today date.today Timestamp.now Timestamp.utcnow "
    "Timestamp.today time.time time.time_ns time.monotonic time.perf_counter time.sleep os.getenv os.urandom "
    "read_text read_bytes write_text write_bytes read_csv read_parquet to_csv to_parquet warnings.warn uuid.uuid4 "
    "random.random random.default_rng default_rng".split()
)

#: Modules of the standard library, and others, whose mere import in a pure module is a mistake.
IMPURE_MODULES = frozenset(
    "aiohttp asyncio duckdb httpx logging multiprocessing os pathlib random requests secrets shutil socket sqlalchemy "
    "sqlite3 subprocess tempfile time urllib urllib3 uuid websockets".split()
)

#: Never called anywhere in the package: what the user types is data.
EXECUTING_CALLS = frozenset({"eval", "exec", "compile", "__import__"})

#: The step does not know whether it is a backtest (design §2).
MODE_FLAGS = frozenset(
    "is_live is_paper is_backtest is_unit_testing live_mode paper_mode backtest_mode dry_run dryrun "
    "simulation_mode".split()
)

#: Names that say nothing (design §7).
EMPTY_NAMES = ("utils", "util", "helper", "helpers", "misc", "common")
EMPTY_PATTERN = re.compile(r"Manager$|^_?process_")


def ends_with(name: str, endings: frozenset[str]) -> bool:
    """Whether a dotted name is one of the endings, or ends with one after a dot."""
    parts = name.split(".")
    return any(".".join(parts[-k:]) in endings for k in (1, 2) if len(parts) >= k)


def impure(source: Source) -> list[str]:
    """Clocks, I/O, logging and randomness in a pure module."""
    if not source.path.startswith(PURE_PATHS) and not source.path.endswith("/wire.py"):
        return []
    complaints = []
    for node, name in imports(source.tree):
        if name.split(".", maxsplit=1)[0] in IMPURE_MODULES:
            complaints.append(source.at(node, f"imports {name}"))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ends_with(name := dotted(node.func), IMPURE_CALLS) and not methods_only(name):
            complaints.append(source.at(node, f"calls {name}"))
        if isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "np.random", "numpy.random"):
            complaints.append(source.at(node, f"reads {dotted(node)}"))
    return complaints


def methods_only(name: str) -> bool:
    """Whether a dotted name ends like a banned builtin but is a method of our own, as in ``market.open``."""
    before, _, last = name.rpartition(".")
    return bool(before) and last in {"open", "print", "input"}


def executing(source: Source) -> list[str]:
    """Calls that run text as Python; one process, which has nothing to harm, is there for it."""
    if source.module == "promotion.sandbox.host":
        return []
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [source.at(node, f"calls {node.func.id}") for node in calls if node.func.id in EXECUTING_CALLS]


def printing(source: Source) -> list[str]:
    """Prints outside the command line."""
    if source.module == "cli" or source.module.startswith("cli."):
        return []
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [source.at(node, "prints; hand the text back instead") for node in calls if dotted(node.func) == "print"]


def own_compiler(source: Source) -> list[str]:
    """A kernel that is compiled without ``workbench.jit``, or with other switches than all the others."""
    compilers = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "stencil"}
    complaints = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            complaints.append(source.at(node.value, "fastmath"))
        if source.module == "jit":
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "numba":
            named = compilers & {alias.name for alias in node.names}
            complaints += [source.at(node, f"numba.{name}: use workbench.jit.njit") for name in sorted(named)]
        if isinstance(node, ast.Attribute) and node.attr in compilers and dotted(node).split(".")[0] in {"numba", "nb"}:
            complaints.append(source.at(node, f"{dotted(node)}: use workbench.jit.njit"))
    return complaints


def named_badly(source: Source) -> list[str]:
    """Mode flags, and names that say nothing."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    flags = [token for token in tokens if token.type == tokenize.NAME and token.string.lower() in MODE_FLAGS]
    defined = [node for node in ast.walk(source.tree) if isinstance(node, (*FUNCTIONS, ast.ClassDef))]
    names = [(node.lineno, node.name) for node in defined]
    names += [(1, part) for part in source.path.removesuffix(".py").split("/")]
    empty = [(line, name) for line, name in names if name.lower() in EMPTY_NAMES or EMPTY_PATTERN.search(name)]
    return [f"{source.path}:{token.start[0]}: mode flag {token.string}" for token in flags] + [
        f"{source.path}:{line}: {name} says nothing; name it by what it does" for line, name in empty
    ]


CHECKS = (impure, executing, printing, own_compiler, named_badly)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_writes_nothing_that_is_forbidden(check: object) -> None:
    complaints = [text for source in sources("workbench") for text in check(source)]
    assert not complaints, listed(complaints)


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime as dt\nx = dt.datetime.utcnow()",
        "import datetime as dt\nx = dt.date.today()",
        "import pandas as pd\nx = pd.Timestamp.now()",
        "x = open('bars.csv')",
        "print('here')",
        "import logging",
        "import random",
        "import numpy as np\nx = np.random.default_rng()",
        "import numpy as np\nx = np.random.normal()",
        "import requests",
        "import sqlalchemy",
        "import os\nx = os.environ['HOME']",
        "from pathlib import Path",
        "def f(path):\n    return path.read_text()",
        "import warnings\nwarnings.warn('x')",
    ],
)
def test_an_impure_line_is_seen(text: str) -> None:
    assert impure(snippet(text))
    assert not impure(snippet(text, "workbench/market/store.py"))


def test_a_pure_line_passes() -> None:
    assert not impure(snippet("import datetime as dt\nx = dt.date(2026, 1, 2)\ny = sessions.open(x)\nz = leaf.open"))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (executing, "eval('1')"),
        (executing, "x = compile(a, b, c)"),
        (printing, "def f():\n    print(1)"),
        (own_compiler, "import numba\n@numba.njit\ndef f(): pass"),
        (own_compiler, "import numba as nb\n@nb.njit(cache=True)\ndef f(): pass"),
        (own_compiler, "from numba import njit"),
        (own_compiler, "from numba import prange, vectorize"),
        (own_compiler, "x = njit(f, fastmath=True)"),
        (named_badly, "def f(is_live): pass"),
        (named_badly, "config.dry_run = True"),
        (named_badly, "class OrderManager: pass"),
        (named_badly, "def process_bars(): pass"),
        (named_badly, "def helper(): pass"),
    ],
)
def test_a_forbidden_line_is_seen(check: object, text: str) -> None:
    assert check(snippet(text))


def test_a_module_that_says_nothing_by_its_name_is_seen() -> None:
    assert named_badly(snippet("", "workbench/market/utils.py"))
    assert not named_badly(snippet("", "workbench/market/bars.py"))


def test_what_is_allowed_passes() -> None:
    text = "from numba import prange\nimport re\nx = re.compile('a')\nis_alive = True\n"
    assert not [complaint for check in CHECKS for complaint in check(snippet(text))]
    assert not own_compiler(snippet("import numba\nnumba.njit(cache=True)(f)", "workbench/jit.py"))
    assert not printing(snippet("print(1)", "workbench/cli.py"))
