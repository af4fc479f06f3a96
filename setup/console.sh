#!/usr/bin/env bash
# setup/console.sh: console/dist/console.pack, the web app as the program carries it. Packages are
# installed as package-lock.json says, when that changed. Called by the build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
# A Node that setup/setup.sh brought along, where the system's is too old.
[[ -d .deps/node/bin ]] && PATH=$root/.deps/node/bin:$PATH
cd console

# Several builds may come here at once.
mkdir -p node_modules dist
exec 9>node_modules/.lock
flock 9
wanted=$(sha256sum package-lock.json)
if [[ $(cat node_modules/.installed 2>/dev/null) != "$wanted" ]]; then
  if ! output=$(npm ci --no-audit --no-fund --loglevel=error 2>&1); then
    printf '%s\n' "$output" >&2
    echo "console: FAILED to install the packages (what npm said is above)" >&2
    exit 1
  fi
  printf '%s' "$wanted" >node_modules/.installed
fi
node openapi/merge.mjs
node_modules/.bin/vite build --logLevel warn
node embed.mjs
