#!/usr/bin/env bash
# Tables of PostgreSQL and MariaDB and a CSV file into Parquet: meesh, dlt and Spark side by side, rows
# per second of processor time.
#   bench/ingest/run.sh [--scale S] [--rounds N] [--only postgresql,mariadb,csv] [--without dlt,dlt-duckdb,spark]
#                       [--folder DIR] [--json FILE]
# Set-up, release build, data, measurement and clean-up in one go; an hour or so, and 30 GB of disk.
# With --scale 0.02 it is a matter of minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
bench/venv.sh ingest
[[ -f .deps/maven/postgresql-42.7.8.jar ]] ||
  mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:42.7.8 -DoutputDirectory=.deps/maven
[[ -f .deps/maven/mysql-connector-j-9.4.0.jar ]] ||
  mvn -q -B dependency:copy -Dartifact=com.mysql:mysql-connector-j:9.4.0 -DoutputDirectory=.deps/maven
exec .venv/bin/python bench/ingest/run.py "$@"
