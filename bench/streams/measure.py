"""What a contender takes while it works, and how late it shows what was produced."""
import statistics
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from load import processor_seconds
from support.processes import memory, reset_peak, tree


@contextmanager
def taking(pid):
    """Fills {"seconds", "cpu" (user and system, of the process and all it starts), "peak" (bytes of
    resident memory, of each process at its highest)} when the work in it is done."""
    found = {}
    for each in tree(pid):
        reset_peak(each)
    cpu, start = processor_seconds(pid), time.perf_counter()
    yield found
    found["seconds"] = time.perf_counter() - start
    found["cpu"] = processor_seconds(pid) - cpu
    found["peak"] = sum(memory(each).get("VmHWM", 0) for each in tree(pid))


class Largest:
    """The most bytes that the files of a folder had together, looked at ten times a second."""

    def __init__(self, folder):
        self.folder, self.bytes = Path(folder), 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.done.wait(0.1):
            size = 0
            for file in self.folder.rglob("*"):
                try:
                    size += file.stat().st_size
                except FileNotFoundError:
                    continue
            self.bytes = max(self.bytes, size)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def lateness(seen, first, last):
    """{"p50", "p99", "max", "commits"}, in milliseconds, of the messages that were produced from
    `first` to `last`, evenly. `seen` is [(when, newest message there is then)], all in milliseconds
    since 1970: what lies between two newest messages came into sight with the later one."""
    waits, commits, before = [], 0, None
    for when, newest in sorted(seen):
        if before is not None and newest > before:
            commits += 1
            waits.extend(when - moment for moment in
                         range(max(before + 1, first), min(newest, last) + 1))
        before = newest if before is None else max(before, newest)
    if not waits or before < last:
        raise AssertionError(f"{len(waits)} ms of messages were seen, not all until {last}")
    cuts = statistics.quantiles(waits, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "max": max(waits), "commits": commits}
