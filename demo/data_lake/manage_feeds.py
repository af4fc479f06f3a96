#!/usr/bin/env python3
"""Adds, changes, archives, lists and rolls back feeds.

    python manage_feeds.py add --name new_stream --type stream --source new_stream \\
        --description "..."
    python manage_feeds.py update --name new_stream --retention-days 730
    python manage_feeds.py archive --name new_stream
    python manage_feeds.py list
    python manage_feeds.py show --name new_stream
    python manage_feeds.py sync
    python manage_feeds.py rollback --name user_transaction_summary --version 3
    python manage_feeds.py cleanup

A feed may be exported as soon as it is added. Whatever else is given goes to `meesh feed` as it is.
"""
import argparse
import sys

from data_lake_config import meesh_feed

# Our word → that of `meesh feed`, and whether a feed is named.
COMMANDS = {"add": ("add", True), "update": ("update", True), "archive": ("archive", True),
            "show": ("show", True), "rollback": ("rollback", True), "list": ("list", False),
            "sync": ("sync", False), "cleanup": ("retain", False)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("--name", help="the feed's name")
    options, rest = parser.parse_known_args()
    command, named = COMMANDS[options.command]
    if named and not options.name:
        parser.error("--name is needed")
    names = [options.name] if options.name else []
    return meesh_feed(command, *names, *rest).returncode


if __name__ == "__main__":
    sys.exit(main())
