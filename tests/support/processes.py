"""Child processes of the tests: ports, waiting, memory, and ends that leave nothing behind."""
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


_given_ports = set()
# One byte per port, locked by the process of tests that gave the port until it ends.
_claims = open(Path(tempfile.gettempdir(), f"meesh-test-ports-{os.getuid()}"), "ab")


def free_ports(count):
    """Ports of 127.0.0.1 nobody listens on now; none is given twice, nor by tests that run beside
    these. They lie below those that Linux gives to outgoing connections (32768 …), so that none of
    these takes one before its server does."""
    ports = []
    while len(ports) < count:
        port = random.randrange(12000, 32000)
        if port in _given_ports:
            continue
        try:
            fcntl.lockf(_claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except BlockingIOError:
            continue
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        ports.append(port)
    return ports


def wait_until(condition, seconds, what, every=0.02):
    """The first true value of condition(); AssertionError naming `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(every)


def memory(pid):
    """{'VmRSS': bytes, 'VmHWM': bytes, …} of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024
            for line in lines if line.startswith("Vm")}


def reset_peak(pid):
    """Makes VmHWM start again from the present size (needs to be the owner or root)."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except PermissionError:
        pass


def tree(pid):
    """The process and all its descendants, as {pid: command line}."""
    parents, names = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            names[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(
                errors="replace").strip()
        except OSError:
            continue
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {}
    for each in names:
        walk = each
        while walk in parents:
            if walk == pid:
                found[each] = names[each]
                break
            walk = parents[walk]
    return found


def processes_in(folder):
    """{pid: command line} of living processes that name `folder` or work in it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if command and (str(folder) in command or Path(where).is_relative_to(folder)):
            found[int(entry.name)] = command.strip()
    return found


def end(process, seconds=15, with_signal=signal.SIGTERM):
    """Ends a child in an orderly way, and for certain after `seconds`; its exit code."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def die_with_parent():
    """For preexec_fn: the child gets SIGKILL when the test run is killed."""
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
