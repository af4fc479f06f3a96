#!/usr/bin/env bash
# A virtual environment of its own for a rival: bench/NAME/requirements.txt → .deps/bench-NAME.
#   bench/venv.sh NAME
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=bench/$1/requirements.txt venv=.deps/bench-$1
cmp -s "$wanted" "$venv/requirements.txt" && exit
python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --requirement "$wanted"
cp "$wanted" "$venv/"
