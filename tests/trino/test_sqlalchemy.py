"""SQLAlchemy's Trino dialect: inspection as Superset and others do it, and statements."""
import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, inspect, select, text
from sqlalchemy.exc import NoSuchTableError
from trino.sqlalchemy import URL


@pytest.fixture
def engine(server):
    made = []

    def make(**where):
        made.append(create_engine(URL(host=server.host, port=server.port, user="tester", **where)))
        return made[-1]

    yield make
    for each in made:
        each.dispose()


def test_inspect_lists_schemas_tables_and_views(engine):
    inspector = inspect(engine(catalog="sales"))
    assert {"information_schema", "public"} <= set(inspector.get_schema_names())
    assert {"customers", "orders"} <= set(inspector.get_table_names(schema="public"))
    assert inspector.get_view_names(schema="public") == []
    assert inspector.has_table("customers", schema="public")
    assert not inspector.has_table("nosuch", schema="public")


def test_inspect_describes_columns(engine):
    inspector = inspect(engine(catalog="sales"))
    columns = {c["name"]: c for c in inspector.get_columns("customers", schema="public")}
    assert list(columns)[:4] == ["customer_id", "customer_name", "email", "phone"]
    assert {name: str(columns[name]["type"]) for name in ("customer_id", "customer_name",
                                                         "created_at")} == {
        "customer_id": "INTEGER", "customer_name": "VARCHAR(100)", "created_at": "TIMESTAMP"}
    orders = {c["name"]: str(c["type"]) for c in inspector.get_columns("orders", schema="public")}
    assert orders["total_amount"] == "DECIMAL(10, 2)"
    with pytest.raises(NoSuchTableError):
        inspector.get_columns("nosuch", schema="public")


def test_inspect_finds_no_keys_and_indexes_as_trino_has_none(engine):
    inspector = inspect(engine(catalog="sales"))
    assert inspector.get_pk_constraint("customers", schema="public")["constrained_columns"] == []
    assert inspector.get_foreign_keys("orders", schema="public") == []


def test_a_table_reflects_and_selects(engine):
    made = engine(catalog="tpch", schema="tiny")
    nation = Table("nation", MetaData(), autoload_with=made)
    with made.connect() as connection:
        rows = connection.execute(select(nation.c.name).where(nation.c.regionkey == 3)
                                  .order_by(nation.c.name).limit(2)).fetchall()
    assert rows == [("FRANCE",), ("GERMANY",)]


def test_text_statements_take_named_parameters(engine):
    with engine(catalog="sales", schema="public").connect() as connection:
        assert connection.execute(text("SELECT :a || 'b' AS x"), {"a": "é"}).scalar_one() == "éb"


def test_a_table_is_created_filled_and_dropped(engine, table):
    name = table("(a integer)").split(".")[2] + "s"
    made = engine(catalog="memory", schema="default")
    metadata = MetaData()
    items = Table(name, metadata, Column("id", Integer), Column("label", String(20)))
    with made.begin() as connection:
        metadata.create_all(connection)
        try:
            connection.execute(items.insert(), [{"id": 1, "label": "x"}, {"id": 2, "label": None}])
            assert connection.execute(select(items).order_by(items.c.id)).fetchall() == [
                (1, "x"), (2, None)]
        finally:
            metadata.drop_all(connection)
    assert not inspect(made).has_table(name)
