"""A real MariaDB server of the tests' own: made, started, stopped and killed at will."""
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pymysql

from support.processes import die_with_parent, end, free_ports, wait_until


class MariaDBServer:
    """One server in `folder` on a port of 127.0.0.1, with one database and a user who may do
    everything; it writes a binlog of rows."""

    def __init__(self, folder, database="shop", user="admin", password="admin123", port=None,
                 settings=()):
        self.folder = Path(folder)
        self.database, self.user, self.password = database, user, password
        self.port = port or free_ports(1)[0]
        self.settings = list(settings)
        self.process = None
        # It does not run as root of its own accord; as itself it may read what the tests made.
        self._owner = pwd.getpwuid(os.getuid()).pw_name

    def create(self):
        if (self.folder / "data" / "mysql").exists():
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data",
                        "--auth-root-authentication-method=normal", "--skip-test-db",
                        f"--user={self._owner}"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return self

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin"), "--no-defaults",
                 f"--datadir={self.folder}/data", f"--socket={self.folder}/socket",
                 f"--port={self.port}", "--bind-address=127.0.0.1", f"--user={self._owner}",
                 "--server-id=1", "--log-bin=binlog", "--binlog-format=ROW",
                 "--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=2",
                 *[f"--{setting}" for setting in self.settings]],
                stdout=log, stderr=log, cwd="/", preexec_fn=die_with_parent)
        wait_until(self.is_up, 60, f"MariaDB on port {self.port} (log: {self.folder}/log)")
        self.root(f"CREATE DATABASE IF NOT EXISTS `{self.database}` CHARACTER SET utf8mb4",
                  f"CREATE USER IF NOT EXISTS '{self.user}'@'%' IDENTIFIED BY '{self.password}'",
                  f"GRANT ALL ON *.* TO '{self.user}'@'%'")
        return self

    def is_up(self):
        try:
            self.connect(user="root", password="", database=None).close()
            return True
        except pymysql.err.OperationalError:
            return False

    def connect(self, user=None, password=None, database=""):
        socket = str(self.folder / "socket") if user == "root" else None
        return pymysql.connect(
            host="127.0.0.1", port=self.port, unix_socket=socket, user=user or self.user,
            password=self.password if password is None else password,
            database=self.database if database == "" else database, connect_timeout=5,
            autocommit=True, charset="utf8mb4")

    def root(self, *statements):
        with self.connect(user="root", password="", database=None) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def query(self, *statements):
        """Rows of the last of the statements."""
        with self.connect() as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        self.process = None


def external(server, **more):
    """The description of it as a domain's database or a catalog."""
    return {"kind": "mysql", "host": "127.0.0.1", "port": server.port, "name": server.database,
            "user": server.user, "password": server.password, **more}
