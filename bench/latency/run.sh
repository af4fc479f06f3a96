#!/usr/bin/env bash
# What a statement costs around its own work, on a release build: from text to DuckDB's text (a budget
# of 100 µs), metadata of 10,000 tables (50 ms a statement), the way there and back, a million rows
# direct and spooled, and TPC-H's 22 queries beside bare DuckDB and Trino.
#   bench/latency/run.sh [--tables N] [--rounds N] [--sf S] [--without trino,duckdb] [--only PART,…] [--json FILE]
# Parts: metadata, trip, rows, tpch. Half an hour or so, most of it for Trino and for making tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh latency_parse_print
echo "from text to DuckDB's text"
build/release/latency_parse_print bench/latency/statements.sql --budget 100
exec .venv/bin/python bench/latency/run.py "$@"
