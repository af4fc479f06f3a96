#!/usr/bin/env bash
# A thousand trivial assets and the time from launch to step start, on meesh and on Dagster.
#   bench/pipelines/run.sh [--assets N] [--launches N] [--without dagster] [--json FILE]
# Set-up, release build, measurement and clean-up in one go; some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
setup/build.sh release meesh
bench/venv.sh pipelines
exec .venv/bin/python bench/pipelines/run.py "$@"
