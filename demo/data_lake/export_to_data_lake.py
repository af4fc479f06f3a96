#!/usr/bin/env python3
"""Exports feeds into the data lake.

    python export_to_data_lake.py --all
    python export_to_data_lake.py --stream transaction_stream_anonymized
    python export_to_data_lake.py --table user_transaction_summary

What is exported is what came since the last export (streams), or a new version of the whole
(tables). The exit code is that of `meesh feed export`: 0 all well, 1 something failed, 3 no server.
"""
import argparse
import sys

from data_lake_config import meesh_feed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="every feed that is enabled")
    what.add_argument("--stream", metavar="NAME", action="append", help="this stream")
    what.add_argument("--table", metavar="NAME", action="append", help="this table")
    options = parser.parse_args()
    if options.all:
        return meesh_feed("export", "--all").returncode
    kind, names = ("stream", options.stream) if options.stream else ("table", options.table)
    return meesh_feed("export", "--type", kind, *names).returncode


if __name__ == "__main__":
    sys.exit(main())
