"""What we answer otherwise than Trino: writes tests/trino/corpus/differs.jsonl and
differs_in_words.jsonl, and the counts in docs/trino-compatibility.md.

    .venv/bin/python bench/conformance/differs.py [--server URL] [--causes]

Starts meesh (MEESH_BINARY, or build/dev/meesh) unless a server is named. --causes prints how many
statements each cause has, most first, with examples. Run it when statements were added, when
something was mended (the lists only ought to shrink), and read the change before committing it.
"""
import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(HERE)]

from reasons import ON_PURPOSE, reason_of  # noqa: E402
from support import trino_corpus as corpus  # noqa: E402
from support.meesh import Meesh, plain_mesh  # noqa: E402

DOCUMENT = ROOT / "docs" / "trino-compatibility.md"
BEGIN, END = "<!-- corpus: begin -->", "<!-- corpus: end -->"


def ask(url):
    """Every statement that differs, in the corpus's order."""
    client, found = corpus.Client(url), []
    for name in corpus.files():
        statements, answers = corpus.read(name), corpus.expected(name)
        if [s.sql for s in statements] != [a["sql"] for a in answers]:
            sys.exit(f"{name}.sql and its expectations are not in step: record it first")
        for (statement, answer), wanted in zip(corpus.ask_all(client, name, statements), answers):
            if differs := corpus.difference(statement, wanted, answer):
                found.append({"file": name, "number": statement.number, "sql": statement.sql,
                              "what": differs[0], "how": corpus.words(differs[1])[:240],
                              "reason": reason_of(statement, wanted, answer, *differs)})
    return found


def write(path, entries):
    path.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in entries))


def table(entries):
    """The generated part of the document."""
    purposes = collections.defaultdict(list)
    for entry in entries:
        if entry["reason"] in ON_PURPOSE:
            purposes[entry["reason"]].append(entry)
    lines = ["| Statements about | all | as Trino | other words of an error | otherwise |",
             "| --- | ---: | ---: | ---: | ---: |", *corpus.counts(), "",
             "On purpose:", ""]
    for reason, those in sorted(purposes.items(), key=lambda item: -len(item[1])):
        example = min((e["sql"] for e in those), key=len).replace("\n", " ")
        lines.append(f"- {ON_PURPOSE[reason]} ({len(those)} statements, such as `{example[:120]}`)")
    return "\n".join(lines)


def document(entries):
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(entries)}\n{END}{rest.partition(END)[2]}")


def tell_causes(entries):
    causes = collections.defaultdict(list)
    for entry in entries:
        causes[entry["reason"]].append(entry)
    for reason, those in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(f"{len(those):5}  {reason}{' (on purpose)' if reason in ON_PURPOSE else ''}")
        for entry in those[:: max(1, len(those) // 3)][:3]:
            print(f"         {entry['file']}: {entry['sql'][:110]!r}\n             "
                  f"{entry['what']}: {entry['how'][:150]!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server")
    parser.add_argument("--causes", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meesh-conformance-") as folder:
        meesh = None
        if not options.server:
            meesh = Meesh(plain_mesh(Path(folder) / "mesh"), Path(folder) / "data").start()
        try:
            entries = ask(options.server or meesh.url)
        finally:
            if meesh:
                meesh.stop()
    write(corpus.WORDS, [e for e in entries if e["what"] == "words"])
    write(corpus.DIFFERS, [e for e in entries if e["what"] != "words"])
    document(entries)
    if options.causes:
        tell_causes(entries)
    print(corpus.counts()[-1])


if __name__ == "__main__":
    main()
