"""A file system of a few megabytes that tests fill to the last byte."""
import os
import subprocess

import pytest


class SmallDisk:
    """Mounted at `folder`; skips the test where that is not permitted."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs",
                               str(folder)], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"a small file system needs the right to mount: {done.stderr.strip()}")

    def space(self):
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def fill(self, leave=0):
        """Until no more than `leave` bytes are free."""
        self.free()
        with open(self.folder / "filler", "wb") as file:
            if (size := self.space() - leave) > 0:
                os.posix_fallocate(file.fileno(), 0, size)

    def free(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


@pytest.fixture
def small_disk(folder):
    """small_disk(megabytes) → SmallDisk"""
    made = []

    def make(megabytes):
        made.append(SmallDisk(folder / f"disk{len(made)}", megabytes))
        return made[-1]

    yield make
    for disk in made:
        disk.unmount()
