"""Contracts, constraints, unit tests, comments in statements. Left out, as they need what dbt-trino
on Trino does not have:

- BaseConstraintsRuntimeDdlEnforcement, BaseModelConstraintsRuntimeEnforcement and
  BaseConstraintQuotedColumn compare dbt's text with PostgreSQL's.
- Base…ContractSqlHeader set PostgreSQL's time zone.
- The Postgres… classes are PostgreSQL's own.
"""
import pytest
from dbt.tests.adapter.constraints import test_constraints as constraints
from dbt.tests.adapter.query_comment import test_query_comment as query_comment
from dbt.tests.adapter.unit_testing.test_case_insensitivity import BaseUnitTestCaseInsensivity
from dbt.tests.adapter.unit_testing.test_invalid_input import BaseUnitTestInvalidInput
from dbt.tests.adapter.unit_testing.test_types import BaseUnitTestingTypes

from conftest import needs_views

class TrinoTypes:
    """Columns of Trino's types, and what its driver calls them."""

    @pytest.fixture
    def string_type(self):
        return "VARCHAR"

    @pytest.fixture
    def int_type(self):
        return "INTEGER"

    @pytest.fixture
    def data_types(self, schema_int_type, int_type, string_type):
        return [["1", schema_int_type, int_type],
                ["'1'", string_type, string_type],
                ["cast('2019-01-01' as date)", "date", "DATE"],
                ["true", "boolean", "BOOLEAN"],
                ["cast('2013-11-03 00:00:00' as timestamp(6))", "timestamp(6)", "TIMESTAMP"],
                ["ARRAY['a', 'b', 'c']", "ARRAY(VARCHAR)", "ARRAY"],
                ["ARRAY[1, 2, 3]", "ARRAY(INTEGER)", "ARRAY"],
                ["cast('1' as decimal(38, 0))", "decimal(38, 0)", "DECIMAL"]]


TYPES = """
version: 2
models:
  - name: my_model
    config:
      contract:
        enforced: true
    columns:
      - name: id
        data_type: integer
        constraints:
          - type: not_null
      - name: color
        data_type: varchar
      - name: date_day
        data_type: varchar
"""


class KeepsOldRows:
    @pytest.fixture(scope="class")
    def expected_error_messages(self):
        return ["NULL value not allowed for NOT NULL column: id"]


class TestRollback(KeepsOldRows, constraints.BaseConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self):
        return {"my_model.sql": constraints.fixtures.my_model_sql, "constraints_schema.yml": TYPES}


class TestRollbackIncremental(KeepsOldRows, constraints.BaseIncrementalConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self):
        return {"my_model.sql": constraints.fixtures.my_incremental_model_sql,
                "constraints_schema.yml": TYPES}


def columns_of(kind):
    """The fixture of models with wrong columns: a "", "view_" or "incremental_" of the package."""
    @pytest.fixture(scope="class")
    def models(self):
        fixtures = constraints.fixtures
        return {"my_model_wrong_order.sql": getattr(fixtures, f"my_model_{kind}wrong_order_sql"),
                "my_model_wrong_name.sql": getattr(fixtures, f"my_model_{kind}wrong_name_sql"),
                "constraints_schema.yml": fixtures.model_schema_yml.replace(": text", ": varchar")}

    return models


class TestTableColumns(TrinoTypes, constraints.BaseTableConstraintsColumnsEqual):
    models = columns_of("")


@needs_views
class TestViewColumns(TrinoTypes, constraints.BaseViewConstraintsColumnsEqual):
    models = columns_of("view_")


class TestIncrementalColumns(TrinoTypes, constraints.BaseIncrementalConstraintsColumnsEqual):
    models = columns_of("incremental_")


class TestUnitTestTypes(BaseUnitTestingTypes):
    @pytest.fixture
    def data_types(self):
        return [["1", "1"], ["'1'", "1"], ["true", "true"],
                ["DATE '2020-01-02'", "2020-01-02"],
                ["TIMESTAMP '2013-11-03 00:00:00.000000'", "2013-11-03 00:00:00.000000"],
                ["cast('1' as decimal(10, 0))", "1"]]


class TestUnitTestCaseInsensitivity(BaseUnitTestCaseInsensivity):
    pass


class TestUnitTestInvalidInput(BaseUnitTestInvalidInput):
    pass


for theirs in [query_comment.BaseQueryComments, query_comment.BaseMacroQueryComments,
               query_comment.BaseMacroArgsQueryComments,
               query_comment.BaseMacroInvalidQueryComments, query_comment.BaseNullQueryComments,
               query_comment.BaseEmptyQueryComments]:
    name = theirs.__name__.replace("Base", "Test", 1)
    globals()[name] = type(name, (theirs,), {"__module__": __name__})
del theirs, name
