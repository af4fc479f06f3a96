"""SIGKILL of meesh and of MariaDB at any moment of a random workload: in the end the current state is
the source's row by row, and the history replays to it."""
import random

import pytest

from cdc.test_mysql import followed  # noqa: F401, a fixture
from cdc.test_postgresql_crash import FULL, TABLES, Working, compare, killed_run
from support.workload import Workload


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=FULL)])
def test_whoever_is_killed_whenever_nothing_is_lost_or_doubled(followed, rounds):  # noqa: F811
    chance = random.Random(3)
    workload = Workload(followed.plain_connect, seed=5, most_columns=6)
    workload.create()
    for _ in range(30):
        workload.step()
    followed.follow({table: {"write": "both"} for table in TABLES})
    for step in range(rounds):
        working = Working(workload)
        try:
            if chance.random() < 0.6:
                killed_run(followed, followed.meesh.kill, chance.uniform(0.05, 1.2))
                followed.meesh.start()
            else:
                killed_run(followed, followed.mariadb.kill, chance.uniform(0.05, 1.2))
                followed.mariadb.start()
        finally:
            working.end()
        if step % 3 == 2 or step == rounds - 1:
            compare(followed, workload)
