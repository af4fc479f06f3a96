"""Every statement of tests/trino/corpus, with the answer Trino gave (see support/trino_corpus.py).

corpus/differs.jsonl lists what is answered otherwise, with the reason, and corpus/
differs_in_words.jsonl where only the text of an error is another. Both are exact: whatever else
differs fails, and so does what is listed and differs no more, or differs in another way.
`bench/conformance/differs.py` writes both lists anew.
"""
import re
import tempfile
from pathlib import Path

import pytest

from support import trino_corpus as corpus
from support.meesh import Meesh, plain_mesh

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def client(request, work_folder):
    """Of a server of its own: statements make and drop tables that nobody else has."""
    if url := request.config.getoption("--server"):
        yield corpus.Client(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="corpus-", dir=work_folder))
    meesh = Meesh(plain_mesh(folder / "mesh"), folder / "data").start()
    yield corpus.Client(meesh.url)
    meesh.stop()


@pytest.fixture(scope="module")
def listed(request):
    """What is known to differ, by statement; nothing for another server."""
    return {} if request.config.getoption("--server") else corpus.listed()


@pytest.mark.parametrize("name", corpus.files())
def test_file(client, listed, name):
    """The statements of a file build on each other, so one file is one test."""
    statements, answers = corpus.read(name), corpus.expected(name)
    assert [s.sql for s in statements] == [a["sql"] for a in answers], \
        f"{name}.sql was changed: record it again with bench/conformance/record.py"
    failures = []
    for (statement, answer), wanted in zip(corpus.ask_all(client, name, statements), answers):
        differs = corpus.difference(statement, wanted, answer)
        known = listed.get((name, statement.number))
        if (differs and differs[0]) != known:
            failures.append(f"{statement}: {statement.sql}\n    listed as {known}, now "
                            + (f"{differs[0]}: {differs[1]}" if differs else "as Trino answers"))
    if failures:
        pytest.fail("\n".join(failures[:50]) + f"\n{len(failures)} statements; if they are right, "
                    "run bench/conformance/differs.py", pytrace=False)


def test_lists_name_statements_that_exist():
    known = {(name, s.number): s.sql for name in corpus.files() for s in corpus.read(name)}
    for difference in corpus.differences():
        assert known.get((difference["file"], difference["number"])) == difference["sql"]
        assert difference["reason"]


def test_every_function_of_trino_is_asked():
    asked = set()
    for name in corpus.files():
        if name != "wrong_arguments":
            for statement in corpus.read(name):
                asked.update(re.findall(r"(\w+)\s*\(", statement.sql.lower()))
    told = next(a for a in corpus.expected("show") if a["sql"] == "SHOW FUNCTIONS")
    missing = {row[0] for row in told["rows"]} - asked
    assert missing <= {"current_date"}, f"no statement calls {sorted(missing)}"


def test_the_document_counts_the_corpus():
    """docs/trino-compatibility.md is written by bench/conformance/differs.py from the same lists."""
    text = (ROOT / "docs" / "trino-compatibility.md").read_text()
    for line in corpus.counts():
        assert line in text, f"run bench/conformance/differs.py: the document does not tell {line!r}"
