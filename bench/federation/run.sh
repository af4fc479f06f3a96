#!/usr/bin/env bash
# Federated queries on Trino, bare DuckDB and meesh, side by side on the same two PostgreSQL servers.
#   bench/federation/run.sh [--rounds N] [--scale S] [--json FILE] [--without trino,duckdb,meesh]
# Set-up, release build, data, servers, measurement and clean-up in one go; ten minutes or so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
exec .venv/bin/python bench/federation/run.py "$@"
