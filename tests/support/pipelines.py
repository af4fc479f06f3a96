"""Pipelines of a running server, as their tests ask for them."""
import json

import requests
import trino

from support.processes import wait_until


def write(mesh, **files):
    """files: name → YAML text of pipelines/<name>.yaml."""
    for name, text in files.items():
        path = mesh / "pipelines" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def run(meesh, *arguments, **options):
    return meesh.run(*arguments, "--server", meesh.url, **options)


def run_json(meesh, *arguments):
    answer = run(meesh, *arguments, "--json")
    return answer.returncode, json.loads(answer.stdout.strip().splitlines()[-1])


def states(found):
    return {step["name"]: step["state"] for step in found["steps"]}


def rows(meesh, sql):
    with trino.dbapi.connect(host=meesh.host, port=meesh.port, user="tester") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()


def run_of(meesh, id):
    return requests.get(f"{meesh.url}/api/v1/runs/{id}").json()


def ended(meesh, id, seconds=60):
    """The run once it has ended."""
    def now():
        found = run_of(meesh, id)
        return found if found["state"] not in ("queued", "running") else None
    return wait_until(now, seconds, f"the end of run {id}")
