"""Makes pytest run SQLAlchemy's dialect test suite: what a dialect's conftest.py holds elsewhere."""
import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy import CheckConstraint, text  # noqa: E402
from sqlalchemy.ext.compiler import compiles  # noqa: E402
from sqlalchemy.schema import CreateIndex, DropIndex  # noqa: E402
from sqlalchemy.testing import provision  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F401, F403


@provision.generate_driver_url.for_db("trino")
def only_driver(url, driver, query):
    """The driver's name is not part of the dialect's URL: "trino+rest" is none."""
    return url


@provision.delete_from_all_tables.for_db("trino")
def empty_tables(connection, config, metadata):
    """Between two tests. The catalog `memory` of Trino takes no DELETE."""
    for table in reversed(metadata.sorted_tables):
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.execute(text(f"TRUNCATE TABLE {name}"))


@compiles(CheckConstraint, "trino")
def no_check(constraint, compiler, **options):
    """Trino has no CHECK, its dialect lets it through, and half the suite's tables have one."""
    return None


@compiles(CreateIndex, "trino")
@compiles(DropIndex, "trino")
def no_index(element, compiler, **options):
    """Trino has no indexes, its dialect lets them through, and the tables to reflect have some."""
    return "SELECT 1"
