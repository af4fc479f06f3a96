"""What every comparison says of the machine, and the table it ends with."""
import datetime
import os
import platform
import subprocess
from pathlib import Path


def machine(folder, **more):
    """`folder`: on the disk that is measured."""
    model = next((line.split(":", 1)[1].strip() for line in
                  Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    disk = subprocess.run(["df", "--output=source,fstype", str(folder)], text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()[-1].split()
    return {"date": datetime.date.today().isoformat(), "cpu": model, "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "kernel": platform.release(), "disk": " ".join(disk),
            "load_before": os.getloadavg()[0], **more}


def table(headers, rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(headers, *rows)]
    for row in [headers, ["-" * w for w in widths], *rows]:
        print("  ".join(str(cell).ljust(w) if i == 0 else str(cell).rjust(w)
                        for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
