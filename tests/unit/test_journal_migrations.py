"""The tables: what the revisions make, what comes forward from an older one, and what is refused and left alone."""

from __future__ import annotations

import pathlib

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.postgres import address, empty_address, new_database
from workbench.errors import ConfigError
from workbench.journal import migrations
from workbench.journal.store import Store
from workbench.journal.tables import limits, metadata

KEPT = ("sqlite", "postgres")


@pytest.fixture(params=KEPT)
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """A database that the revisions have made just now."""
    return empty_address(request.param, tmp_path)


def put(connection: sa.Connection, name: str) -> None:
    connection.execute(limits.insert(), {"owner": "me", "name": name, "value": 1.0})


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(sa.select(limits.c.name)).scalars())


def engine_of(url: str) -> sa.Engine:
    """An engine of the library's own, which keeps no connection."""
    whole = url.replace("postgresql:", "postgresql+psycopg:") if "://" in url else f"sqlite:///{url}"
    return sa.create_engine(whole, poolclass=sa.NullPool)


def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    with Store.open(url) as store, store.read() as connection:
        options = {"version_table": migrations.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        seen = sa.inspect(connection)
        keys = {name: seen.get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}
    assert keys == {name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()}


def test_the_newest_revision_is_the_one_the_code_asks_for() -> None:
    assert ScriptDirectory.from_config(migrations.settings()).get_heads() == [migrations.HEAD]


def revisions() -> list[str]:
    """Every revision that a database may have been left at, the oldest first."""
    scripts = ScriptDirectory.from_config(migrations.settings()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def brought_to(url: str, revision: str) -> None:
    """Bring an empty database to a revision, as the version that released it did, and put a row into it."""
    config = migrations.settings()
    with engine_of(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        put(connection, "before")


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("revision", revisions())
def test_every_released_schema_comes_forward_with_its_rows(kind: str, revision: str, tmp_path: pathlib.Path) -> None:
    url = empty_address(kind, tmp_path)
    brought_to(url, revision)
    with Store.open(url) as store, store.read() as connection:
        assert migrations.revision_of(connection) == migrations.HEAD
        assert connection.execute(sa.select(limits.c.name)).scalars().all() == ["before"]
        options = {"version_table": migrations.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


@pytest.mark.parametrize("kind", KEPT)
def test_a_step_that_fails_leaves_a_database_as_it_was(
    kind: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_address(kind, tmp_path)
    upgrade = command.upgrade

    def upgrade_and_fail(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise ZeroDivisionError

    with monkeypatch.context() as failing:
        failing.setattr(command, "upgrade", upgrade_and_fail)
        with pytest.raises(ZeroDivisionError):
            Store.open(url)
    with engine_of(url).connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    with Store.open(url) as store:
        assert names(store) == []


@pytest.mark.parametrize("kind", KEPT)
def test_a_database_of_a_newer_version_is_refused_and_left_alone(kind: str, tmp_path: pathlib.Path) -> None:
    url = new_database() if kind == "postgres" else address(kind, tmp_path)
    with Store.open(url) as store, store.write() as connection:
        put(connection, "a")
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"made by a newer workbench .* 9999"):
        Store.open(url)
    with engine_of(url).connect() as connection:
        assert connection.execute(sa.select(limits.c.name)).scalars().all() == ["a"]
        assert connection.execute(sa.text(f"SELECT * FROM {migrations.VERSION_TABLE}")).scalars().all() == ["9999"]


@pytest.mark.parametrize("kind", KEPT)
def test_tables_of_another_program_are_refused_and_left_alone(kind: str, tmp_path: pathlib.Path) -> None:
    url = empty_address(kind, tmp_path)
    with engine_of(url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (dish TEXT)"))
    with pytest.raises(ConfigError, match=r"tables of another program \(orders\)"):
        Store.open(url)
    with engine_of(url).connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["orders"]


@pytest.mark.parametrize("kind", KEPT)
def test_a_database_may_be_shared_with_a_program_that_uses_alembic(kind: str, tmp_path: pathlib.Path) -> None:
    url = empty_address(kind, tmp_path)
    with engine_of(url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('theirs')"))
    with Store.open(url) as store, store.read() as connection:
        assert connection.execute(sa.text("SELECT * FROM alembic_version")).scalars().all() == ["theirs"]
        assert connection.execute(sa.select(limits)).all() == []


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("ts,open,high,low,close,volume\n" * 100)
    with pytest.raises(ConfigError, match=r"bars\.csv is a file of another kind"):
        Store.open(path)
    assert path.read_text() == "ts,open,high,low,close,volume\n" * 100
