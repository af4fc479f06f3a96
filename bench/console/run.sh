#!/usr/bin/env bash
# What a person waits for in the console, on a release build: the first row in the SQL lab, a
# dashboard of 20 charts over 10 million rows (asked over HTTP by 1 and 50 viewers, and painted in
# Chromium), a search over 100,000 assets.
#   bench/console/run.sh [--superset]     the same dashboard in Apache Superset as well
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
setup/setup.sh --for test
setup/build.sh release meesh search_bench
python=.venv/bin/python
echo "SQL lab, from Ctrl-Enter to the first row painted"
$python bench/console/sql_first_row.py
echo "20 charts over 10 million rows, over HTTP"
$python bench/console/dashboard_server.py
echo "20 charts over 10 million rows, in Chromium"
folder=$(mktemp -d)
chmod 755 "$folder"
cp -r demo "$folder/mesh"
build/release/meesh serve --mesh "$folder/mesh" --data "$folder/data" --port 18080 --s3-port 0 >"$folder/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  curl -sf http://localhost:18080/v1/info >/dev/null && break
  sleep 0.2
done
$python bench/console/dashboard_browser.py --server http://localhost:18080
if [[ ${1:-} == --superset ]]; then
  bench/venv.sh console
  echo "the same in Apache Superset, which asks this mesh"
  $python bench/console/superset.py --server http://localhost:18080 --mesh "$folder/mesh"
fi
echo "search over 100,000 assets"
build/release/search_bench
