"""A server that is asked in SQL and by commands whose answers are lines of JSON."""
import json

import trino
from support.meesh import Meesh


class Server(Meesh):
    def sql(self, text, **options):
        connection = trino.dbapi.connect(host=self.host, port=self.port, user="tests", **options)
        try:
            cursor = connection.cursor()
            cursor.execute(text)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def lines(self, *arguments, code=0):
        """What a command prints with --json, and the exit code it must have."""
        done = self.run(*arguments, "--json", "--server", self.url)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]
