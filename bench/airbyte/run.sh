#!/usr/bin/env bash
# Records of Airbyte's protocol into the lake: a connector that only plays a file of messages, so
# that what is measured is our own share.
#   bench/airbyte/run.sh [--rows N] [--rounds N] [--folder DIR] [--json FILE]
# Set-up, release build, messages, measurement and clean-up in one go: some minutes, and 3 GB of disk.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for test
setup/build.sh release meesh
exec .venv/bin/python bench/airbyte/run.py "$@"
