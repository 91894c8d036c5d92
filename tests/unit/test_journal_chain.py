"""The chain of the journal: no two rows have one hash, and whoever edits, removes, inserts or swaps rows is seen."""

from __future__ import annotations

import json
import pathlib
import struct
from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postgres import address
from workbench.journal.chain import FIRST, canonical, link
from workbench.journal.store import Store
from workbench.journal.tables import deployment_states, deployments, journal, strategy_versions
from workbench.journal.verify import MOST_FAULTS, Head, Row, chain_faults, faults

DEPLOYMENT = "dep-1"

# --- canonical -----------------------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_canonical_is_sorted_and_without_spaces() -> None:
    assert canonical({"b": [1, 2.5, None, True], "a": {"ü": "\x1f"}}) == '{"a":{"ü":"\\u001f"},"b":[1,2.5,null,true]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_have_is_missing(value: float) -> None:
    assert canonical({"price": value}) == '{"price":null}'


@pytest.mark.parametrize("value", [2**70, "half \udc80 a character", {"b": 2**64, "a": -0.0}])
def test_what_the_quick_encoder_does_not_take_is_written_too(value: object) -> None:
    assert json.loads(canonical(value)) == value


def test_canonical_refuses_what_is_no_plain_data() -> None:
    with pytest.raises(TypeError):
        canonical({"when": object()})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_from_canonical_bit_for_bit(value: float) -> None:
    assert struct.pack(">d", json.loads(canonical([value]))[0]) == struct.pack(">d", value)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), PLAIN, max_size=6))
def test_canonical_does_not_depend_on_the_order_of_keys(content: dict[str, object]) -> None:
    assert canonical(dict(reversed(content.items()))) == canonical(content)


# --- link ----------------------------------------------------------------------------------------------------------


def test_the_hash_of_a_row_never_changes_between_versions() -> None:
    # Journals outlive versions: what is hashed, and how, may not change.
    assert link(FIRST, DEPLOYMENT, 1, 2, 3, "STARTED", "{}") == "c2e52d371a469fe0ae548b641cdc6ead"


@pytest.mark.parametrize("place", [0, 1, 5])
def test_no_part_may_contain_what_stands_between_parts(place: int) -> None:
    parts = [FIRST, DEPLOYMENT, 1, 2, 3, "STARTED", "{}"]
    parts[place] = f"a{chr(0x1F)}b"
    with pytest.raises(ValueError, match="row 1 cannot be chained"):
        link(*parts)  # type: ignore[arg-type]


PART = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=4)
BODY = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
PARTS = st.tuples(PART, PART, st.integers(1, 20), st.integers(0, 20), st.integers(0, 20), PART, BODY)


@given(PARTS, PARTS)
def test_rows_that_differ_have_hashes_that_differ(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    assert (link(*one) == link(*other)) is (one == other)  # type: ignore[arg-type]


def test_characters_that_move_between_parts_are_seen() -> None:
    rows = [("a", "bc", 1, 11, 1, "K", "L"), ("ab", "c", 1, 11, 1, "K", "L"), ("a", "bc", 11, 1, 1, "K", "L")]
    rows += [("a", "bc", 1, 1, 11, "K", "L"), ("a", "bc", 1, 11, 1, "KL", ""), ("a", "bc", 1, 11, 1, "", "KL")]
    rows += [("a", "bc", 1, 11, 1, "", "\x1fL"), ("a", "bc", 1, 11, 1, "", "L")]
    assert len({link(*row) for row in rows}) == len(rows)


# --- verify --------------------------------------------------------------------------------------------------------

CONTENT = st.tuples(
    st.integers(0, 2**62), st.integers(0, 2**62), st.sampled_from(["EVALUATED", "FILLED"]), PLAIN.map(canonical)
)
CONTENTS = st.integers(0, 30).flatmap(lambda n: st.lists(CONTENT, min_size=n, max_size=n))


def chained(contents: Sequence[tuple[int, int, str, str]]) -> tuple[list[Row], Head]:
    """A journal as it is written, and its head."""
    rows, head = [], Head(0, FIRST)
    for seq, content in enumerate(contents, 1):
        head = Head(seq, link(head.hash, DEPLOYMENT, seq, *content))
        rows.append(Row(seq, *content, head.hash))
    return rows, head


def renumbered(rows: Sequence[Row]) -> list[Row]:
    return [row._replace(seq=seq) for seq, row in enumerate(rows, 1)]


def edits(row: Row, n_rows: int) -> Iterator[Row]:
    """Every field of a row, changed in several ways."""
    for name in ("instant_ns", "at_ns"):
        yield from (row._replace(**{name: getattr(row, name) + step}) for step in (1, -1, 2**40))
    yield from (row._replace(kind=kind) for kind in (row.kind + " ", row.kind[1:], "KILLED", "", "\x1f"))
    yield from (row._replace(body=body) for body in (row.body + " ", row.body[1:], "nothing", f"\x1f{row.body}"))
    yield from (row._replace(hash=text) for text in (FIRST, row.hash[::-1] + "0", row.hash.upper() + " ", ""))
    yield from (row._replace(seq=seq) for seq in (0, -1, n_rows + 1, n_rows + 7))


def tampered(rows: Sequence[Row], new: tuple[int, int, str, str]) -> Iterator[list[Row]]:
    """A journal after every single edit, removal, swap, truncation and insertion."""
    n = len(rows)
    for place, row in enumerate(rows):
        before, after = rows[:place], rows[place + 1 :]
        for edited in edits(row, n):
            yield sorted([*before, edited, *after], key=lambda one: one.seq)
        yield [*before, *after]
        yield renumbered([*before, *after])
        yield list(before)
        for later in range(place + 1, n):
            swapped = list(rows)
            swapped[place], swapped[later] = rows[later]._replace(seq=row.seq), row._replace(seq=rows[later].seq)
            yield swapped
            swapped = list(rows)
            swapped[place] = rows[later]._replace(seq=row.seq, hash=row.hash)
            swapped[later] = row._replace(seq=rows[later].seq, hash=rows[later].hash)
            yield swapped
    for place in range(n + 1):
        # Whoever inserts knows how to make the hash.
        previous = rows[place - 1].hash if place else FIRST
        made = Row(place + 1, *new, link(previous, DEPLOYMENT, place + 1, *new))
        yield renumbered([*rows[:place], made, *rows[place:]])


@settings(max_examples=12, deadline=None)
@given(CONTENTS, CONTENT)
def test_every_single_change_of_a_journal_is_found(
    contents: list[tuple[int, int, str, str]], new: tuple[int, int, str, str]
) -> None:
    rows, head = chained(contents)
    assert chain_faults(DEPLOYMENT, rows, head) == []
    overlooked = [
        changed for changed in tampered(rows, new) if changed != rows and chain_faults(DEPLOYMENT, changed, head) == []
    ]
    assert overlooked == []


@settings(max_examples=12, deadline=None)
@given(CONTENTS)
def test_a_head_that_is_another_one_is_found(contents: list[tuple[int, int, str, str]]) -> None:
    rows, head = chained(contents)
    others = [Head(head.seq + 1, head.hash), Head(head.seq - 1, head.hash), Head(head.seq, "0" * 31 + "1")]
    assert all(chain_faults(DEPLOYMENT, rows, other) for other in others)
    assert not rows or chain_faults("dep-2", rows, head)


SOME = [(10 * number, 10 * number + 1, "EVALUATED", canonical({"n": number})) for number in range(1, 9)]


def test_a_fault_is_one_sentence_with_the_number_of_the_row() -> None:
    rows, head = chained(SOME)
    edited = [*rows[:3], rows[3]._replace(body="{}"), *rows[4:]]
    assert chain_faults(DEPLOYMENT, edited, head) == [
        "Row 4 does not follow from what stands before it: it, or row 3, was changed."
    ]
    assert chain_faults(DEPLOYMENT, [*rows[:3], *rows[4:]], head) == ["Row 4 is missing."]
    assert chain_faults(DEPLOYMENT, [*rows[:2], *rows[6:]], head) == ["Rows 3 to 6 are missing."]
    assert chain_faults(DEPLOYMENT, rows[:5], head) == ["Rows 6 to 8 are missing at the end: row 8 was the last."]
    assert chain_faults(DEPLOYMENT, [rows[0]._replace(seq=0), *rows], head) == [
        "Row 0 has a number that does not come after 0."
    ]
    assert chain_faults(DEPLOYMENT, rows, Head(7, rows[6].hash)) == [
        "Row 8 is the last, and row 7 should be: rows were added."
    ]
    assert chain_faults(DEPLOYMENT, rows, Head(8, FIRST)) == [
        "Row 8 is the last, and its hash is not the one that its deployment remembers."
    ]


def test_a_journal_full_of_faults_is_not_listed_row_by_row() -> None:
    rows, head = chained(SOME * 30)
    found = chain_faults("dep-2", rows, head)
    assert len(found) == MOST_FAULTS + 1
    assert found[-1] == f"There are more faults than these {MOST_FAULTS}."


# --- in the database -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Store]:
    with Store.open(address(request.param, tmp_path)) as opened:
        yield opened


def filled(table: sa.Table, **known: object) -> dict[str, object]:
    """A row in which everything that is not said is empty or zero."""
    empty = {str: "", int: 0, float: 0.0, bytes: b"", bool: False}
    return {column.name: known.get(column.name, empty[column.type.python_type]) for column in table.columns}


def keep(store: Store, deployment_id: str, contents: Sequence[tuple[int, int, str, str]]) -> None:
    """Write a deployment with its journal and its head."""
    rows, head = chained(contents)
    with store.write() as connection:
        connection.execute(strategy_versions.insert(), filled(strategy_versions, hash=deployment_id))
        known = {"id": deployment_id, "name": deployment_id, "strategy_hash": deployment_id}
        connection.execute(deployments.insert(), filled(deployments, **known))
        state = filled(deployment_states, deployment_id=deployment_id, head_seq=head.seq, head_hash=head.hash)
        connection.execute(deployment_states.insert(), state)
        for row in rows:
            connection.execute(journal.insert(), {"deployment_id": deployment_id} | row._asdict())


def faults_in(store: Store, deployment_id: str = DEPLOYMENT) -> list[str]:
    with store.read() as connection:
        return faults(connection, deployment_id)


def test_an_untouched_journal_has_no_fault(store: Store) -> None:
    keep(store, DEPLOYMENT, [*SOME, (1, 2, "PAUSED", canonical({"why": "ü\x1f\u2028", "at": [0.1, 5e-324, -0.0]}))])
    assert faults_in(store) == []


def test_an_empty_journal_has_no_fault(store: Store) -> None:
    keep(store, DEPLOYMENT, [])
    assert faults_in(store) == []


def test_a_long_journal_is_read_in_pieces(store: Store) -> None:
    keep(store, DEPLOYMENT, SOME * 150)
    assert faults_in(store) == []
    with store.write() as connection:
        connection.execute(journal.delete().where(journal.c.seq == 1_100))
    assert faults_in(store) == ["Row 1100 is missing."]


CHANGES = {
    "instant": journal.update().where(journal.c.seq == 4).values(instant_ns=journal.c.instant_ns + 1),
    "at": journal.update().where(journal.c.seq == 4).values(at_ns=0),
    "kind": journal.update().where(journal.c.seq == 4).values(kind="KILLED"),
    "body": journal.update().where(journal.c.seq == 4).values(body='{"n": 4}'),
    "hash": journal.update().where(journal.c.seq == 4).values(hash=FIRST),
    "number": journal.update().where(journal.c.seq == 4).values(seq=-4),
    "removed": journal.delete().where(journal.c.seq == 4),
    "first removed": journal.delete().where(journal.c.seq == 1),
    "last removed": journal.delete().where(journal.c.seq == 8),
    "all removed": journal.delete(),
    "moved": journal.update().where(journal.c.seq == 8).values(deployment_id="dep-2"),
    "head": deployment_states.update().values(head_hash=FIRST),
    "head number": deployment_states.update().values(head_seq=9),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_the_database_is_found(store: Store, change: str) -> None:
    keep(store, "dep-2", [])
    keep(store, DEPLOYMENT, SOME)
    with store.write() as connection:
        assert connection.execute(CHANGES[change]).rowcount >= 1
    assert faults_in(store) != []


def test_a_deployment_without_a_state_is_a_fault(store: Store) -> None:
    assert faults_in(store, "none") == [
        "There is no state of deployment 'none', so that the end of its journal is not known."
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("body = CAST(x'ff' AS TEXT)", "A row after row "),
        ("body = x'7b7d'", "Row 8 does not follow from what stands before it"),
        ("kind = x'7b7d'", "Row 8 holds what no row can hold."),
        ("seq = 8.5", "Row 8.5 is there, and rows are numbered from 1 to 8."),
        ("instant_ns = 'soon'", "Row 8 does not follow from what stands before it"),
    ],
)
def test_what_sqlite_lets_into_a_column_is_found(tmp_path: pathlib.Path, change: str, fault: str) -> None:
    with Store.open(address("sqlite", tmp_path)) as store:
        keep(store, DEPLOYMENT, SOME)
        with store.write() as connection:
            connection.exec_driver_sql(f"UPDATE journal SET {change} WHERE seq = 8")
        assert faults_in(store)[0].startswith(fault)
