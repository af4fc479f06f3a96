"""A mesh whose pipelines run while it, its sources and its dbt are killed; and what an undisturbed
mesh makes of the same sources."""
import collections
import os
import random
import shutil
import signal
import subprocess
import time

import psycopg2
import requests
from support.answers import rows_of
from support.meesh import Meesh
from support.processes import processes_in, wait_until


def one_pipeline(mesh, databases, pipeline):
    """Leaves of the demo's copy what `pipeline` needs: its domains and theirs alone start. The
    databases that are left."""
    others = {"northwind": ["sales", "marketing"], "retail": ["northwind"]}[pipeline]
    for other in {"northwind", "retail"} - {pipeline}:
        (mesh / "pipelines" / f"{other}.yaml").unlink()
    if pipeline == "northwind":
        shutil.rmtree(mesh / "dbt")
    for domain in others:
        shutil.rmtree(mesh / "domains" / domain)
        (mesh / "sources" / f"{domain}.yaml").unlink()
    return {name: database for name, database in databases.items() if name not in others}


def answers(database):
    try:
        database.query("SELECT 1")
        return True
    except psycopg2.OperationalError:
        return False


class HitMesh:
    """`meesh` is running; `pipeline` is run for `run_date` again and again."""

    def __init__(self, meesh, pipeline, run_date, seed=7):
        self.meesh, self.pipeline, self.run_date = meesh, pipeline, run_date
        self.chance = random.Random(seed)
        self.told = []  # what was hit, and how the run ended: for a failed test to show
        path = meesh.mesh / "pipelines" / f"{pipeline}.yaml"
        path.write_text(path.read_text().replace("attempts: 3, delay: 5s",
                                                 "attempts: 8, delay: 200ms"))
        self.usual = 0  # seconds of a run

    def _run(self, *arguments):
        done = self.meesh.run("run", *arguments, "--server", self.meesh.url, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def run(self):
        """Undisturbed, from the beginning to the end."""
        began = time.monotonic()
        self._run(self.pipeline, "--run-date", self.run_date)
        self.usual = time.monotonic() - began

    def _processes(self, words):
        return [pid for pid, command in self.meesh.processes().items()
                if all(word in command for word in words)]

    def kill_us(self):
        self.meesh.kill()
        wait_until(lambda: not processes_in(self.meesh.mesh) and not self.meesh.left_behind(), 30,
                   "the end of all that meesh started")
        self.meesh.start()

    def kill_dbt(self):
        for pid in self._processes(["dbt/bin/python", "-c"]):
            self._kill(pid)

    def kill_source(self, domain):
        for pid in self._processes(["bin/postgres -D", f"/postgres/{domain}/"]):
            self._kill(pid)

    @staticmethod
    def _kill(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended meanwhile

    def hit(self, **kills):
        """A run during which, at any moment, one of `kills` is done, perhaps two; it must end well,
        if need be after its failed steps are run again."""
        run = self._run(self.pipeline, "--run-date", self.run_date, "--detach")
        whom = self.chance.sample(sorted(kills), self.chance.choice([1, 1, 1, 2]))
        for name in whom:
            time.sleep(self.chance.uniform(0, self.usual / len(whom)))
            kills[name]()
        state = wait_until(lambda: self._ended(run), 300, f"the end of {run}", every=0.1)
        self.told.append((whom, state))
        for domain, database in self.meesh.databases.items():
            wait_until(lambda: answers(database), 60, f"the server of {domain} back again")
        if state != "succeeded":
            self._run("--rerun", run)

    def _ended(self, run):
        answer = requests.get(f"{self.meesh.url}/api/v1/runs/{run}", timeout=30)
        answer.raise_for_status()
        state = answer.json()["state"]
        return None if state in ("queued", "running") else state

    def everything(self, but=()):
        """Every table and view of the lake, as {name: its rows and how often each is there}, without
        the columns `but`."""
        columns = collections.defaultdict(list)
        for schema, table, column in rows_of(self.meesh.url, (
                "SELECT table_schema, table_name, column_name FROM lake.information_schema.columns "
                "WHERE table_schema <> 'information_schema' ORDER BY ordinal_position")):
            if column not in but:
                columns[f"{schema}.{table}"].append(f'"{column}"')
        return {table: collections.Counter(map(str, rows_of(
            self.meesh.url, f"SELECT {', '.join(names)} FROM lake.{table}")))
            for table, names in columns.items()}

    def undisturbed(self, but=()):
        """everything() of a new mesh over a copy of the same databases, after one run; what dbt has
        read of its project is copied too, for speed. Ours is stopped."""
        self.meesh.stop()
        data = self.meesh.data.with_name(self.meesh.data.name + "-fresh")
        data.mkdir(mode=0o711)
        for part in {"postgres", "secrets", "keys", "dbt"} & set(os.listdir(self.meesh.data)):
            subprocess.run(["cp", "-a", self.meesh.data / part, data], check=True)
        fresh = HitMesh(Meesh(self.meesh.mesh, data, databases=self.meesh.databases).start(),
                        self.pipeline, self.run_date)
        try:
            fresh.run()
            return fresh.everything(but)
        finally:
            fresh.meesh.stop()
            shutil.rmtree(data, ignore_errors=True)


def differences(found, expected):
    """{table: (rows too many, rows that lack)} of two everything()."""
    return {table: (list((found.get(table, none) - expected.get(table, none)).items())[:3],
                    list((expected.get(table, none) - found.get(table, none)).items())[:3])
            for none in [collections.Counter()] for table in found.keys() | expected.keys()
            if found.get(table) != expected.get(table)}
