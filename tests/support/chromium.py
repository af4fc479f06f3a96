"""The browser of this machine."""
import os
import shutil


def chromium():
    """Its path, or None."""
    return os.environ.get("MEESH_CHROMIUM") or shutil.which("chromium") or shutil.which(
        "chromium-browser")
