"""A real PostgreSQL server of the tests' own: made, started, stopped and killed at will."""
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg2

from support.processes import die_with_parent, end, free_ports, wait_until


def programs():
    """The folder of the newest installed server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda p: int(p.parts[-3]))
    if not found:
        raise FileNotFoundError("no PostgreSQL server in /usr/lib/postgresql: run setup/setup.sh")
    return found[-1].parent


class PostgresServer:
    """One server in `folder` on a port of 127.0.0.1, with one database owned by `user`."""

    def __init__(self, folder, database, user="admin", password="admin123", port=None, settings=(),
                 server=None):
        """`server`: the folder of the server's programs; without it the newest installed one."""
        self.folder, self.programs = Path(folder), Path(server) if server else programs()
        self.database, self.user, self.password = database, user, password
        self.port = port or free_ports(1)[0]
        self.settings = list(settings)
        self.process = None
        # PostgreSQL refuses to run as root: the tests of root run it as an unprivileged user.
        self._as_user = []
        if os.getuid() == 0:
            owner = next(u for u in ("postgres", "nobody") if u in {p[0] for p in pwd.getpwall()})
            entry = pwd.getpwnam(owner)
            self._owner = (entry.pw_uid, entry.pw_gid)
            self._as_user = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}",
                             "--clear-groups", "--pdeathsig=KILL", "--"]

    def create(self):
        """Makes the data folder unless it is there."""
        if (self.folder / "data" / "PG_VERSION").exists():
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        data = self.folder / "data"
        data.mkdir()
        if self._as_user:
            os.chown(data, *self._owner)
            os.chown(self.folder, *self._owner)
        subprocess.run([*self._as_user, str(self.programs / "initdb"), "-D", str(data), "-U", self.user,
                        f"--pwfile={secret}", "--auth=scram-sha-256", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        secret.unlink()
        return self

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self._as_user, str(self.programs / "postgres"), "-D", str(self.folder / "data"),
                 "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                 "-c", f"unix_socket_directories={self.folder}",
                 *[word for setting in self.settings for word in ("-c", setting)]],
                stdout=log, stderr=log, cwd="/", preexec_fn=die_with_parent)
        wait_until(self.is_up, 30, f"PostgreSQL on port {self.port} (log: {self.folder}/log)")
        connection = self.connect("postgres")
        connection.autocommit = True  # CREATE DATABASE runs in no transaction
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self.database,))
        if not cursor.fetchone():
            cursor.execute(f'CREATE DATABASE "{self.database}"')
        connection.close()
        return self

    def is_up(self):
        try:
            self.connect("postgres").close()
            return True
        except psycopg2.OperationalError:
            return False

    def connect(self, database=None):
        return psycopg2.connect(host="127.0.0.1", port=self.port, user=self.user,
                                password=self.password, dbname=database or self.database,
                                connect_timeout=5)

    def query(self, sql, parameters=None):
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def stop(self):
        if self.process:
            end(self.process, with_signal=signal.SIGINT)  # "fast": sessions are cut
            self.process = None

    def kill(self):
        """As a crash would: every process of the server at once, without farewell."""
        self.process.send_signal(signal.SIGQUIT)  # "immediate"
        self.process.wait(20)
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
