#!/usr/bin/env bash
# How long a search takes over 100,000 assets, as people type: bench/console/search.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/build.sh release search_bench
exec build/release/search_bench
