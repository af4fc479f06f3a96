#!/usr/bin/env bash
# A table of PostgreSQL and a million changes of it: meesh into an Iceberg table of current rows, and
# Debezium's engine, whose events go nowhere.
#   bench/cdc/run.sh [--scale S] [--without debezium] [--folder DIR] [--json FILE]
# Set-up, release build, data, measurement and clean-up in one go: a quarter of an hour and 10 GB of
# disk; --scale 0.1 takes two minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
debezium=3.3.1.Final
if [[ ! -d .deps/debezium-$debezium ]]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  cat >"$scratch/pom.xml" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>meesh</groupId><artifactId>debezium</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>$debezium</version></dependency>
    <dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>$debezium</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$scratch/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    "-DoutputDirectory=$scratch/lib"
  mv "$scratch/lib" ".deps/debezium-$debezium"
fi
.venv/bin/python bench/cdc/run.py --debezium ".deps/debezium-$debezium" "$@"
