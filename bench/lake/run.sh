#!/usr/bin/env bash
# The lake on meesh, DuckDB's iceberg extension, Spark and Trino, side by side on the same tables of
# one REST catalog and object store: those of meesh.
#   bench/lake/run.sh [--rounds N] [--scale S] [--only tpch,files,commits,merge,compact]
#                     [--without duckdb,spark,trino] [--folder DIR] [--json FILE]
# Set-up, release build, data, servers, measurement and clean-up in one go; an hour or so. With
# --scale 0.01 --rounds 1 --cold 1 it is a matter of minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
exec .venv/bin/python bench/lake/run.py "$@"
