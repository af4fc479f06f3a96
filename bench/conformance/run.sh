#!/usr/bin/env bash
# Asks a real Trino every statement of tests/trino/corpus: what it answers otherwise than recorded.
#   bench/conformance/run.sh [--write] [--server URL] [FILE …]
# With --write the answers become the corpus's; then run bench/conformance/differs.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
exec .venv/bin/python bench/conformance/record.py "$@"
