"""Mistakes in the files of a mesh: `meesh serve` refuses with file:line:column and what to write."""
import pytest

from support.meesh import Meesh, binary

pytestmark = pytest.mark.skipif(not binary().exists(), reason=f"{binary().name} is not built")

GOOD_MESH = "name: test\n"
GOOD_DOMAIN = """\
owner: { team: Sales team }
database:
  kind: postgresql
  host: 127.0.0.1
  port: 5432
  name: sales_db
  user: admin
  password: secret-word
"""

MISTAKES = {
    # file: (its text, where, words of the message)
    "unknown key": ("domain", GOOD_DOMAIN.replace("owner", "onwer"), "domain.yaml:1:1", ["onwer", "owner"]),
    "unknown key inside": ("domain", GOOD_DOMAIN.replace("  host:", "  hsot:"), "domain.yaml:4:3",
                           ["hsot", "host"]),
    "unknown top key": ("meesh", GOOD_MESH + "lisen: { port: 1 }\n", "meesh.yaml:2:1",
                        ["lisen", "listen"]),
    "wrong type": ("meesh", GOOD_MESH + "listen: { port: many }\n", "meesh.yaml:2:17", ["port", "many"]),
    "out of range": ("meesh", GOOD_MESH + "listen: { port: 70000 }\n", "meesh.yaml:2:17", ["65535"]),
    "no YAML": ("meesh", "name: [test\n", "meesh.yaml:", []),
    "not a map": ("meesh", "- name\n", "meesh.yaml:1:1", []),
    "missing key": ("meesh", "data: data\n", "meesh.yaml:1:1", ["name"]),
    "twice the same key": ("meesh", GOOD_MESH + "name: again\n", "meesh.yaml:2:1", ["name"]),
    "missing secret": ("domain", GOOD_DOMAIN.replace("secret-word", "${SALES_SECRET}"),
                       "domain.yaml:8:13", ["SALES_SECRET"]),
    "kind not built": ("meesh", GOOD_MESH + "compute: { kind: trino }\n", "meesh.yaml:2:18", ["trino"]),
    "unknown kind": ("domain", GOOD_DOMAIN.replace("kind: postgresql", "kind: oracle"),
                     "domain.yaml:3:9", ["oracle", "postgresql"]),
    "empty file": ("domain", "", "domain.yaml:1:1", []),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_shown_where_it_is(folder, mistake):
    kind, text, where, words = MISTAKES[mistake]
    mesh = folder / "mesh"
    domain = mesh / "domains" / "sales" / "domain.yaml"
    domain.parent.mkdir(parents=True)
    (mesh / "meesh.yaml").write_text(text if kind == "meesh" else GOOD_MESH)
    domain.write_text(text if kind == "domain" else GOOD_DOMAIN)
    meesh = Meesh(mesh, folder / "data")
    try:
        assert meesh.launch().process.wait(20) not in (0, None)
    finally:
        meesh.stop()
    log = meesh.log_text()
    assert where in log, log
    assert all(word in log for word in words), log
    assert "secret-word" not in log


def test_every_mistake_of_every_file_is_shown_at_once(folder):
    mesh = folder / "mesh"
    for name in ("a", "b"):
        file = mesh / "domains" / name / "domain.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(GOOD_DOMAIN.replace("owner", "onwer").replace("host", "hsot"))
    (mesh / "meesh.yaml").write_text(GOOD_MESH)
    meesh = Meesh(mesh, folder / "data")
    try:
        assert meesh.launch().process.wait(20) != 0
    finally:
        meesh.stop()
    for name in ("a", "b"):
        assert f"domains/{name}/domain.yaml:1:1" in meesh.log_text()
        assert f"domains/{name}/domain.yaml:4:3" in meesh.log_text()


def test_a_folder_without_a_mesh_is_named(folder):
    meesh = Meesh(folder / "nowhere", folder / "data")
    try:
        assert meesh.launch().process.wait(20) != 0
    finally:
        meesh.stop()
    assert "meesh.yaml" in meesh.log_text() and "nowhere" in meesh.log_text()
