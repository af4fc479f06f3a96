"""The commands of `meesh` as a user types them."""
import json
import os
import shutil
import signal
import subprocess

import jsonschema
import pytest
import yaml

from support.meesh import ROOT, binary
from support.processes import wait_until
from support.statements import ENDLESS

KINDS = ("meesh", "domain", "product", "secrets", "source", "stream", "feed", "feed-settings",
         "pipeline", "pools", "checks", "dashboard", "semantic", "catalogue", "glossary")
TWO_ROWS = "SELECT * FROM (VALUES (1, 'x,\"y\"'), (2, NULL)) t(a, b) ORDER BY a"


@pytest.fixture
def sql(ours):
    """sql("-e", …) → the finished `meesh sql`."""

    def run(*arguments, **options):
        return ours.run("sql", "--server", ours.url, *arguments, **options)

    return run


def test_without_a_terminal_the_answer_is_csv(sql):
    result = sql("-e", TWO_ROWS)
    assert (result.returncode, result.stdout, result.stderr) == (0, 'a,b\n1,"x,""y"""\n2,\n', "")


def test_every_layout(sql):
    assert [json.loads(line) for line in sql("-o", "json", "-e", TWO_ROWS).stdout.splitlines()
            ] == [{"a": 1, "b": 'x,"y"'}, {"a": 2, "b": None}]
    markdown = sql("-o", "markdown", "-e", TWO_ROWS).stdout.splitlines()
    assert len(markdown) == 4 and set(markdown[1]) <= set("|-: ")
    assert [cell.strip() for cell in markdown[2].strip("|").split("|")] == ["1", 'x,"y"']
    aligned = sql("-o", "aligned", "-e", TWO_ROWS).stdout.splitlines()
    assert aligned[0].index("b") == aligned[2].index('x,"y"') or "|" in aligned[0]


def test_a_file_standard_input_and_several_statements(sql, folder):
    file = folder / "statements.sql"
    file.write_text("-- first\nSELECT 1;\nSELECT ';' AS x;\n")
    assert sql("-f", file).stdout == "_col0\n1\nx\n;\n"
    assert sql(input="SELECT 2").stdout == "_col0\n2\n"
    assert sql("--catalog", "tpch", "--schema", "tiny", "-e",
               "USE tpch.sf1; SELECT current_schema AS s").stdout.splitlines()[-1] == "sf1"


def test_a_mistake_ends_with_1_and_points_at_it(sql):
    result = sql("-e", "SELECT 1; SELECT nosuch FROM tpch.tiny.nation; SELECT 3")
    assert (result.returncode, result.stdout) == (1, "_col0\n1\n")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved")
    assert lines[2].index("^") == lines[1].index("nosuch")
    assert sql("--ignore-errors", "-e", "SELECT nosuch; SELECT 3 AS x").stdout == "x\n3\n"


def test_wrong_options_end_with_2_and_no_server_with_3(ours):
    assert ours.run("sql", "--bogus").returncode == 2
    assert ours.run("nosuch").returncode == 2
    for command in (["run"], ["run", "p", "--param", "x"], ["backfill", "p"],
                    ["schedule", "pause"], ["ingest", "add", "x"]):
        assert ours.run(*command).returncode == 2, command
    result = ours.run("sql", "--server", "http://127.0.0.1:1", "-e", "SELECT 1")
    assert result.returncode == 3 and "Is it running?" in result.stderr
    for command in (["check"], ["profile", "a.b.c"], ["lineage", "a.b.c"], ["ingest", "status"],
                    ["run", "p"], ["runs"], ["logs", "r"], ["schedule"], ["assets"],
                    ["backfill", "p", "--from", "2025-01-01", "--to", "2025-01-02"],
                    ["demo", "run"], ["demo", "ask", "--mesh", ours.mesh]):
        result = ours.run("--lang", "en", *command, env={"MEESH_SERVER": "http://127.0.0.1:1"})
        assert result.returncode == 3, (command, result.stdout, result.stderr)
        assert "cannot connect to 127.0.0.1:1" in result.stderr, command
        assert result.stderr.endswith("Start it with ./run or `meesh serve`.\n"), command


def test_help_has_examples_and_speaks_french(ours):
    for command in (["run"], ["runs"], ["backfill"], ["logs"], ["schedule"], ["assets"], ["check"],
                    ["profile"], ["lineage"], ["contract", "check"], ["ingest", "run"],
                    ["ingest", "status"], ["demo", "run"], ["demo", "load"], ["schema"]):
        assert "Examples:\n" in ours.run("--lang", "en", *command, "--help").stdout, command
        assert "Exemples :\n" in ours.run("--lang=fr", *command, "--help").stdout, command


def test_ctrl_c_cancels_the_statement(ours, query):
    process = subprocess.Popen([str(binary()), "sql", "--server", ours.url, "--user", "interrupter",
                                "-e", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    mine = "SELECT state, error_code FROM system.runtime.queries WHERE \"user\" = 'interrupter'"
    try:
        wait_until(lambda: query(mine) == [["RUNNING", None]], 60, "the query running")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
    wait_until(lambda: query(mine) == [["FAILED", "USER_CANCELED"]], 30, "the query cancelled")


def test_the_terminal_client_in_a_terminal(ours, folder):
    """History, several lines, completion and leaving, typed into a real terminal."""
    if not shutil.which("tmux"):
        pytest.skip("no tmux")
    socket = folder / "tmux"

    def tmux(*arguments):
        return subprocess.run(["tmux", "-S", str(socket), *arguments], text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    def type_line(text):
        if text.endswith(";"):  # would end tmux's own command
            text = text[:-1] + "\\;"
        tmux("send-keys", "-t", "sql", "-l", "--", text)
        tmux("send-keys", "-t", "sql", "Enter")

    def screen():
        return tmux("capture-pane", "-p", "-t", "sql")

    def shows(text):
        try:
            wait_until(lambda: text in screen(), 30, text, every=0.1)
        except AssertionError:
            pytest.fail(f"'{text}' is not on the screen:\n{screen().rstrip()}", pytrace=False)

    command = f"env HOME={folder} LANG=C.UTF-8 {binary()} sql --server {ours.url}"
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "sql", "-x", "120", "-y", "50", command)
    try:
        shows("meesh>")
        type_line("SELECT 40 + 2")
        shows("    ->")
        type_line("AS answer;")
        shows("(1 row")
        assert "answer" in screen() and "42" in screen()
        type_line("USE sales.public;")
        shows("meesh:sales.public>")
        tmux("send-keys", "-t", "sql", "SELECT * FROM supplie", "Tab")
        shows("FROM supplier")
        tmux("send-keys", "-t", "sql", "C-u")
        type_line("SELECT count(*) AS c FROM customers;")
        wait_until(lambda: screen().count("(1 row") == 2, 30, "the count")
        type_line("\\d")
        shows("orders")
        type_line("\\q")
        wait_until(lambda: subprocess.run(["tmux", "-S", str(socket), "has-session", "-t", "sql"],
                                          stderr=subprocess.DEVNULL).returncode != 0,
                   30, "the client gone")
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], stderr=subprocess.DEVNULL)


def test_version_tells_what_is_inside(ours):
    told = json.loads(ours.run("version", "--json").stdout)
    assert told["duckdb"] == "1.5.5" and int(told["trino_protocol"]) >= 476
    assert told["version"] in ours.run("version").stdout


def test_doctor_is_content_here_and_says_so_in_both_languages(ours):
    english = ours.run("--lang", "en", "doctor", "--mesh", ours.mesh)
    assert english.returncode == 0, english.stdout
    assert english.stdout.splitlines()[-1] == "✓ Installation validated successfully!"
    french = ours.run("--lang", "fr", "doctor", "--mesh", ours.mesh)
    assert french.stdout.splitlines()[-1] == "✓ Installation validée avec succès!"
    told = json.loads(ours.run("doctor", "--json").stdout)
    assert told["ok"] is True and all(check["level"] != "bad" for check in told["checks"])


def test_doctor_names_what_is_wrong(ours, folder):
    result = ours.run("--lang", "en", "doctor", env={"MEESH_EXTENSIONS": str(folder),
                                                     "MEESH_POSTGRES_BIN": str(folder)})
    assert result.returncode == 1
    assert "postgres_scanner" in result.stdout and str(folder) in result.stdout
    assert result.stdout.splitlines()[-1].startswith("✗")


def test_schemas_are_json_schemas_of_the_files(ours, folder):
    for kind in KINDS:
        schema = json.loads(ours.run("schema", kind).stdout)
        assert schema["$schema"].startswith("https://json-schema.org/")
    assert "owner" in json.loads(ours.run("schema", "domain").stdout)["properties"]
    assert ours.run("schema", "-o", folder / "schemas").returncode == 0
    assert {file.name.partition(".")[0] for file in (folder / "schemas").iterdir()} == set(KINDS)
    assert ours.run("schema", "nosuch").returncode == 2


def test_the_demos_files_fit_their_schemas_and_mistakes_do_not(ours):
    def schema(kind):
        return jsonschema.Draft202012Validator(json.loads(ours.run("schema", kind).stdout))

    files = {"source": "sources/*.yaml", "stream": "streams/*.yaml",
             "feed": "feeds/active/*.json", "pipeline": "pipelines/*.yaml",
             "domain": "domains/*/domain.yaml", "meesh": "meesh.yaml",
             "dashboard": "dashboards/*.yaml", "semantic": "semantic/*.yaml",
             "catalogue": "catalogue/*.yaml", "glossary": "glossary/*.yaml"}
    for kind, pattern in files.items():
        found = list((ROOT / "demo").glob(pattern))
        assert found
        for file in found:
            schema(kind).validate(yaml.safe_load(file.read_text()))
    schema("pools").validate({"warehouse": 2})
    checks = {"tables": [{"table": "a.b.c", "checks": [{"kind": "unique", "columns": ["id"]}]}]}
    schema("checks").validate(checks)
    checks["tables"][0]["checks"][0]["kind"] = "uniqe"
    assert not schema("checks").is_valid(checks)
    # What an asset takes is told by its kind.
    pipeline = {"name": "p", "assets": {"lake.s.t": {"sql": "SELECT 1", "materialized": "table"}}}
    assert schema("pipeline").is_valid(pipeline)
    pipeline["assets"]["lake.s.t"]["materialised"] = "view"
    assert not schema("pipeline").is_valid(pipeline)


def test_demo_ask_answers_every_query_of_the_demo(ours):
    result = ours.run("demo", "ask", "--mesh", ours.mesh, "--server", ours.url)
    assert result.returncode == 0, result.stderr
    for name in ("query_a.sql", "query_a_deduplicated.sql", "query_b.sql"):
        assert name in result.stdout


def test_the_demos_lake_statements_run_again_and_again(ours, query):
    [[orders, revenue]] = query("SELECT count(*), sum(total_amount) FROM sales.public.orders WHERE "
                                "date_trunc('month', created_at) = TIMESTAMP '2024-11-01 00:00'")
    for _ in range(2):
        result = ours.run("sql", "--server", ours.url, "-f", ROOT / "demo/lake/orders_history.sql")
        assert result.returncode == 0, result.stderr
        assert f"2024-11-01 00:00:00.000000,{orders},{revenue}\n" in result.stdout


def test_a_second_load_replaces_the_first_ones_rows(ours, query):
    before = query("SELECT count(*), sum(total_amount) FROM sales.public.orders")
    assert ours.run("demo", "load", "--mesh", ours.mesh, "--data", ours.data,
                    "--scale", "0.005").returncode == 0
    assert query("SELECT count(*), sum(total_amount) FROM sales.public.orders") == before


def test_serve_can_show_an_answer_and_stops_on_ctrl_c(start_meesh, folder):
    from support.meesh import plain_mesh
    file = folder / "show.sql"
    file.write_text("SELECT 40 + 2 AS answer")
    mesh = plain_mesh(folder / "mesh")
    output = folder / "output"
    with open(output, "wb") as out:
        process = subprocess.Popen([str(binary()), "serve", "--mesh", str(mesh), "--data",
                                    str(folder / "data"), "--port", "0", "--show", str(file)],
                                   stdout=out, stderr=subprocess.STDOUT, env=dict(os.environ))
    try:
        wait_until(lambda: "42" in output.read_text(), 30, "the answer")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert "http://localhost:" in output.read_text()
