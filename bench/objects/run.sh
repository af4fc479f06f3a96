#!/usr/bin/env bash
# The object store of meesh and MinIO, side by side on the same disk, both durable.
#   bench/objects/run.sh [--rounds N] [--keys N] [--scale S] [--folder DIR] [--json FILE]
#                        [--without meesh,minio]
# Set-up, release build, servers, measurement and clean-up in one go. Filling MinIO with a million
# keys is most of the time: an hour or so; --keys 100000 --rounds 3 is a matter of minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh objects_load objects_loopback
exec .venv/bin/python bench/objects/run.py "$@"
