#!/usr/bin/env bash
# Random statements, asked of meesh and of a real Trino side by side: prints what they answer otherwise.
#   bench/conformance/differential.sh [--minutes M] [--seed S] [--ours URL] [--trino URL]
# An hour without --minutes. Findings belong into tests/trino/corpus/differential.sql.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for bench
exec .venv/bin/python bench/conformance/differential.py "$@"
