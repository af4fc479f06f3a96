#!/usr/bin/env python3
"""What is in the data lake.

    python metadata_utils.py --stats              records and sizes
    python metadata_utils.py --report             the same with what happened last
    python metadata_utils.py --csv report.csv     a line a feed
    python metadata_utils.py --html report.html   a page with plots
"""
import argparse
import sys

from data_lake_config import meesh_feed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stats", action="store_true", help="records and sizes")
    parser.add_argument("--report", action="store_true", help="the report as text")
    parser.add_argument("--csv", metavar="FILE", help="write the report as CSV")
    parser.add_argument("--html", metavar="FILE", help="write the report as a page")
    options = parser.parse_args()
    files = [word for name in ("csv", "html") if (value := getattr(options, name))
             for word in (f"--{name}", value)]
    runs = [["stats"]] * options.stats + [["report"]] * options.report
    if files:
        runs.append(["report", *files])
    if not runs:
        parser.error("one of --stats, --report, --csv, --html is needed")
    return max(meesh_feed(*run).returncode for run in runs)


if __name__ == "__main__":
    sys.exit(main())
