#!/usr/bin/env bash
# setup/jdk.sh VERSION: prints the home of a JDK of at least that version (JAVA_HOME, what `java` on
# PATH is, then /usr/lib/jvm, newest first), or exits 1 without a word.
set -euo pipefail
wanted=${1:?usage: setup/jdk.sh VERSION}
candidates=()
[[ -n ${JAVA_HOME:-} ]] && candidates+=("$JAVA_HOME")
if path=$(command -v java); then candidates+=("$(dirname "$(dirname "$(readlink -f "$path")")")"); fi
best= best_version=0
for home in "${candidates[@]}" /usr/lib/jvm/*; do
  [[ -x $home/bin/javac && -f $home/release ]] || continue
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
  # The first candidate that suffices wins; among the rest, the newest.
  for candidate in "${candidates[@]}"; do
    [[ $home == "$candidate" && ${version:-0} -ge $wanted ]] && { echo "$home"; exit 0; }
  done
  [[ ${version:-0} -gt $best_version ]] && best=$home best_version=$version
done
[[ $best_version -ge $wanted ]] || exit 1
echo "$best"
