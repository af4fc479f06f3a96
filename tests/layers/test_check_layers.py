"""The layer check passes on a sound house and finds each kind of violation."""
import pytest

from layers.check_layers import check, find_cycle


@pytest.fixture
def house(tmp_path):
    src = tmp_path / "src"

    def build(files):
        for name, text in {"LAYERS": "# comment\nbase\nsql\nengine\n", "base/a.h": "",
                           "sql/b.h": '#include "base/a.h"\n', "engine/c.h": "", **files}.items():
            path = src / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(src)

    return build


def test_a_sound_house_has_no_violation(house):
    assert house({"engine/c.cc": '#include <vector>\n#include "duckdb.hpp"\n#include "sql/b.h"\n',
                  "engine/kinds/d.cc": '#include "engine/c.h"\n'}) == []


@pytest.mark.parametrize("files, expected", [
    ({"base/a.h": '\n#include "sql/b.h"\n'},
     "src/base/a.h:2: 'base' may not include 'sql/b.h': 'sql' is above it in LAYERS"),
    ({"sql/deep/x.cc": '#include "engine/c.h"'}, "src/sql/deep/x.cc:1: 'sql' may not include"),
    ({"sql/x.cc": "#include <duckdb.hpp>\n"}, "src/sql/x.cc:1: 'duckdb.hpp': DuckDB's headers"),
    ({"sql/x.cc": '#include "duckdb/main/connection.hpp"\n'}, "DuckDB's headers stay in src/engine"),
    ({"stray.cc": ""}, "src/stray.cc:1: outside every room"),
    ({"attic/x.cc": ""}, "src/attic/x.cc:1: room 'attic' is not in LAYERS"),
    ({"LAYERS": "base\nsql\nengine\ncellar\n"}, "'cellar' is listed but there is no such folder"),
    ({"sql/x.cc": '#include "base/gone.h"\n'}, "src/sql/x.cc:1: 'base/gone.h' is not a file"),
    ({"sql/x.cc": "#include <base/a.h>\n"}, 'src/sql/x.cc:1: write "base/a.h" with quotes'),
    ({"base/a.h": '#include "base/z.h"\n', "base/z.h": '#include "base/a.h"\n'},
     "cycle: base/a.h → base/z.h → base/a.h"),
])
def test_each_violation_is_found_where_it_is(house, files, expected):
    violations = house(files)
    assert any(expected in violation for violation in violations), violations


def test_a_diamond_is_no_cycle():
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == []
    assert find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
