"""The processor time of a process and of everything it has started."""
import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """(parent, seconds) of a process: its own time and that of children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), sum(int(each) for each in fields[11:15]) / TICK


def processor_seconds(root):
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = stat(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
    members = {root}
    while more := {pid for pid, (parent, _) in found.items() if parent in members} - members:
        members |= more
    return sum(found[pid][1] for pid in members if pid in found)
