#!/usr/bin/env python3
"""Checks that the house is built as src/LAYERS says.

    tests/layers/check_layers.py [source folder]

- A room (folder of src/) includes only rooms on a lower line of LAYERS, and itself.
- No cycles among the headers, inside a room either.
- An include written with quotes names a file that exists, from src/.
- DuckDB's headers are included only inside src/engine.
- Every source lies in a room that LAYERS lists; every listed room exists.
Prints one line per violation, `file:line: what`, and exits 1 if there is any.
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SOURCES = (".h", ".cc")
DUCKDB = re.compile(r"^duckdb(\.h|\.hpp|_extension\.h|/)")
DUCKDB_ROOM = "engine"


def read_layers(src: Path) -> list[str]:
    lines = (src / "LAYERS").read_text().splitlines()
    return [name for name in (line.split("#")[0].strip() for line in lines) if name]


def includes_of(path: Path) -> list[tuple[int, str, bool]]:
    """(line, name, written with quotes) of every include."""
    found = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if match := INCLUDE.match(line):
            found.append((number, match[1] or match[2], match[1] is not None))
    return found


def find_cycle(graph: dict[str, list[str]]) -> list[str]:
    """One cycle as the names along it, first repeated at the end; [] if there is none."""
    done: set[str] = set()
    for start in sorted(graph):
        path: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        if stack:
            path.append(start)
        while stack:
            name, rest = stack[-1]
            for following in rest:
                if following in path:
                    return path[path.index(following):] + [following]
                if following not in done and following in graph:
                    stack.append((following, iter(graph[following])))
                    path.append(following)
                    break
            else:
                done.add(name)
                stack.pop()
                path.pop()
    return []


def check(src: Path) -> list[str]:
    rooms = read_layers(src)
    level = {room: number for number, room in enumerate(rooms)}
    violations = [f"{src.name}/LAYERS: '{room}' is listed but there is no such folder"
                  for room in rooms if not (src / room).is_dir()]
    graph: dict[str, list[str]] = {}
    for path in sorted(p for p in src.rglob("*") if p.suffix in SOURCES):
        inside = path.relative_to(src)
        shown = f"{src.name}/{inside}"
        room = inside.parts[0]
        if len(inside.parts) < 2:
            violations.append(f"{shown}:1: outside every room; sources live in src/<room>/")
            continue
        if room not in level:
            violations.append(f"{shown}:1: room '{room}' is not in LAYERS")
            continue
        graph[str(inside)] = []
        for line, name, quoted in includes_of(path):
            where = f"{shown}:{line}"
            if DUCKDB.match(name):
                if room != DUCKDB_ROOM:
                    violations.append(f"{where}: '{name}': DuckDB's headers stay in "
                                      f"{src.name}/{DUCKDB_ROOM}")
                continue
            target = name.split("/")[0]
            if not quoted:
                if target in level and (src / name).is_file():
                    violations.append(f"{where}: write \"{name}\" with quotes")
                continue
            if not (src / name).is_file():
                violations.append(f"{where}: '{name}' is not a file of {src.name}/")
                continue
            graph[str(inside)].append(name)
            if target in level and level[target] > level[room]:
                violations.append(f"{where}: '{room}' may not include '{name}': "
                                  f"'{target}' is above it in LAYERS")
    if cycle := find_cycle(graph):
        violations.append(f"{src.name}/{cycle[0]}:1: cycle: {' → '.join(cycle)}")
    return violations


def main() -> int:
    src = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "src").resolve()
    violations = check(src)
    print("\n".join(violations) if violations else f"{len(read_layers(src))} rooms, no violation")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
