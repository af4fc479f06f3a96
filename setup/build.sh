#!/usr/bin/env bash
# setup/build.sh PRESET [TARGET…]: configures (when presets or compiler changed) and builds
# build/PRESET. A build with nothing to do says nothing; a failing one shows the compiler's words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:?usage: setup/build.sh PRESET [TARGET…]}
shift
directory=build/$preset
source .deps/toolchain.env

wanted=$(cat CMakePresets.json .deps/toolchain.env setup/versions.env | sha256sum)
if [[ ! -f $directory/build.ninja || $(cat "$directory/.configured" 2>/dev/null) != "$wanted" ]]; then
  echo "build: configuring $directory; compiling all of it takes minutes, later only what changed"
  options=()
  if [[ $CXX != clang++-19 ]]; then  # the presets name clang-19; another compiler overrides them
    options=(-DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX"
      -DCMAKE_EXE_LINKER_FLAGS="$LINKER" -DCMAKE_SHARED_LINKER_FLAGS="$LINKER")
  fi
  if ! output=$(cmake --preset "$preset" "${options[@]}" 2>&1); then
    printf '%s\n' "$output" >&2
    echo "build: FAILED to configure $directory (what cmake said is above)" >&2
    exit 1
  fi
  printf '%s' "$wanted" >"$directory/.configured"
fi

# A source that includes DuckDB's headers takes up to 1.5 GB to compile.
memory=$(awk '/^MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
jobs=$(nproc)
((memory < jobs)) && jobs=$((memory > 1 ? memory : 1))
started=$SECONDS
log=$directory/build.log
set +e
cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"} 2>&1 | tee "$log" |
  if [[ -t 1 ]]; then grep --line-buffered -vE '^ninja: no work|Re-checking globbed'; else cat >/dev/null; fi
code=${PIPESTATUS[0]}
set -e
if ((code != 0)); then
  [[ -t 1 ]] || grep -vE '^\[[0-9]+/[0-9]+\]|^ccache ' "$log" | head -n 60 >&2
  echo "build: FAILED ($directory; everything the compiler said is in $log)" >&2
  exit 1
fi
if ! grep -q '^ninja: no work to do' "$log"; then
  echo "build: $directory built in $((SECONDS - started)) s"
fi
