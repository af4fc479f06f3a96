"""What Superset, Metabase and Grafana ask before anybody has written a query, statement by statement
as they send it. Columns have to have Trino's names: the tools read them by name."""
import pytest


@pytest.fixture
def ask(connect):
    """ask(sql, parameters) → (names of the columns, rows); in catalog tpch, schema tiny."""

    def run(sql, parameters=None):
        cursor = connect(catalog="tpch", schema="tiny").cursor()
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
        return [column[0] for column in cursor.description], rows

    return run


NATION = [["nationkey", "bigint", "", ""], ["name", "varchar(25)", "", ""],
          ["regionkey", "bigint", "", ""], ["comment", "varchar(152)", "", ""]]

#: (tool, statement, columns, rows that have to be among the answer's)
LISTINGS = [
    ("superset", "SHOW CATALOGS", ["Catalog"], [["memory"], ["system"], ["tpch"]]),
    ("superset", "SHOW FUNCTIONS",
     ["Function", "Return Type", "Argument Types", "Function Type", "Deterministic", "Description"],
     []),
    ("superset", "SELECT schema_name FROM information_schema.schemata", ["schema_name"],
     [["information_schema"], ["tiny"]]),
    ("superset", 'SELECT "table_name" FROM "information_schema"."tables" '
                 'WHERE "table_schema" = \'tiny\'', ["table_name"], [["lineitem"], ["nation"]]),
    ("superset", "SHOW COLUMNS FROM tiny.nation", ["Column", "Type", "Extra", "Comment"], NATION),
    ("metabase", "SHOW SCHEMAS FROM tpch", ["Schema"], [["information_schema"], ["tiny"]]),
    ("metabase", "SHOW TABLES FROM tpch.tiny", ["Table"], [["lineitem"], ["nation"]]),
    ("metabase", "DESCRIBE tpch.tiny.nation", ["Column", "Type", "Extra", "Comment"], NATION),
    ("metabase", "SHOW SCHEMAS FROM \"tpch\" LIKE 'tiny'", ["Schema"], [["tiny"]]),
    ("grafana", "SHOW SCHEMAS", ["Schema"], [["tiny"]]),
    ("grafana", "SHOW TABLES", ["Table"], [["nation"]]),
    ("grafana", "SHOW COLUMNS FROM nation", ["Column", "Type", "Extra", "Comment"], NATION),
]


@pytest.mark.parametrize("tool, sql, columns, rows", LISTINGS,
                         ids=[f"{tool}: {sql}" for tool, sql, *_ in LISTINGS])
def test_a_listing(ask, tool, sql, columns, rows):
    names, found = ask(sql)
    assert names == columns
    assert [row for row in rows if row not in found] == []


@pytest.mark.parametrize("sql", ["SELECT current_timezone()", "SELECT version()", "SELECT 1",
                                 "SELECT current_user", "SELECT now()"])
def test_what_tools_ask_to_see_that_they_are_connected(ask, sql):
    _, [[value]] = ask(sql)
    assert value is not None


def test_superset_lists_and_shows_views(ask, query):
    query("CREATE OR REPLACE VIEW memory.default.of_superset AS SELECT 1 AS one")
    try:
        assert ["of_superset"] in ask(
            "SELECT table_name FROM memory.information_schema.views WHERE table_schema = ?",
            ["default"])[1]
        names, [[text]] = ask("SHOW CREATE VIEW memory.default.of_superset")
        assert names == ["Create View"] and text.startswith("CREATE VIEW memory.default.of_superset")
    finally:
        query("DROP VIEW memory.default.of_superset")


def test_superset_asks_for_partitions_and_takes_no_for_an_answer(ask):
    with pytest.raises(Exception, match="does not exist"):
        ask('SELECT * FROM tiny."nation$partitions"')


def test_metabase_asks_for_rows_of_a_table_and_no_more(ask):
    names, rows = ask('SELECT "source"."nationkey" AS "nationkey", "source"."name" AS "name" FROM '
                      '(SELECT * FROM "tpch"."tiny"."nation") AS "source" LIMIT 3')
    assert names == ["nationkey", "name"] and len(rows) == 3


def test_grafana_groups_by_time(ask):
    names, rows = ask(
        "SELECT from_unixtime(floor(to_unixtime(CAST(orderdate AS timestamp)) / 2592000) * 2592000) "
        "AS time, count(*) AS value FROM orders WHERE orderdate BETWEEN "
        "date(from_iso8601_timestamp('1995-01-01T00:00:00Z')) AND "
        "date(from_iso8601_timestamp('1995-03-01T00:00:00Z')) GROUP BY 1 ORDER BY 1")
    assert names == ["time", "value"] and len(rows) == 3
