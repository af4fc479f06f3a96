import uuid

import pytest


@pytest.fixture
def table(query):
    """table("(a integer)") makes a table in memory.default, dropped after the test; its name."""
    made = []

    def make(columns):
        name = f"memory.default.t{uuid.uuid4().hex[:12]}"
        query(f"CREATE TABLE {name} {columns}")
        made.append(name)
        return name

    yield make
    for name in made:
        query(f"DROP TABLE {name}")
