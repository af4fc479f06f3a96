#!/usr/bin/env bash
# Messages of one Kafka broker on meesh and on Spark Structured Streaming: into the lake, into a
# live aggregate, how long until they are seen, and a state larger than the memory.
#   bench/streams/run.sh [--scale S] [--rounds N] [--only lake,live,latency,state] [--without spark]
#                        [--partitions N] [--folder DIR] [--json FILE]
# Set-up, release build, broker, messages, measurement and clean-up in one go; an hour or so, and 15
# GB of disk. With --scale 0.02 it is a matter of minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
# Spark's source of Kafka and what it needs beside Spark itself. Of the token provider, which
# nothing here uses, there is no newer one.
for artefact in org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.3 \
  org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.0.0 \
  org.apache.kafka:kafka-clients:3.9.1 org.apache.commons:commons-pool2:2.12.1; do
  IFS=: read -r _ name version <<<"$artefact"
  [[ -f .deps/spark-kafka/$name-$version.jar ]] ||
    mvn -q -B dependency:copy "-Dartifact=$artefact" -DoutputDirectory=.deps/spark-kafka
done
exec .venv/bin/python bench/streams/run.py "$@"
