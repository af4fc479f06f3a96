"""Why a statement of the corpus is answered otherwise than by Trino: the first rule that fits.

A rule is a reason and a test of (statement, Trino's answer, ours, what differs, how). Reasons in
ON_PURPOSE stay, and the document tells them; all others begin with "not built yet".
"""
import re

ON_PURPOSE = {
    "on purpose: functions of ours":
        "`SHOW FUNCTIONS` lists the functions that are only ours, too (`mask`, `json_text` …).",
    "on purpose: rows may be changed":
        "The `memory` catalog takes `UPDATE`, `DELETE`, `MERGE`, other columns and `OR REPLACE`.",
    "on purpose: no rights in catalogs":
        "Rights are managed by the mesh's policies, not by `GRANT` and roles.",
}


def shorter_types(text):
    """Types without the lengths of varchar: what is left when only these differ."""
    text = re.sub(r"varchar\(\d+\)", "varchar", text)
    return re.sub(r"\['varchar', 'varchar'\]", "['varchar']", text)


def only_lengths(how):
    wanted, _, answered = how.partition(", not ")
    return shorter_types(wanted) == shorter_types(answered)


def ours_has_no_place(wanted, answer):
    return answer["error"]["line"] is None


def told(answer):
    """Of our error, its name and message; empty when it is none."""
    error = answer.get("error")
    return f"{error['name']}: {error['message']}" if error else ""


LATER = "not built yet: "

# (reason, test); the first that fits counts.
RULES = [
    ("on purpose: functions of ours",
     lambda s, w, a, what, how: s.sql == "SHOW FUNCTIONS" and what == "rows"),
    ("on purpose: rows may be changed",
     lambda s, w, a, what, how: re.search("does not support (modifying table rows|replacing tables|"
                                          "dropping columns|setting column types)", how)),
    ("on purpose: no rights in catalogs",
     lambda s, w, a, what, how: "Managing privileges" in told(a)),
    (LATER + "MATCH_RECOGNIZE",
     lambda s, w, a, what, how: "MATCH_RECOGNIZE is not supported" in told(a)
     or s.file == "match_recognize"),
    (LATER + "functions of one's own (WITH FUNCTION, CREATE FUNCTION)",
     lambda s, w, a, what, how: s.file == "routines"),
    (LATER + "table functions",
     lambda s, w, a, what, how: "Table function" in told(a) or s.file == "table_functions"),
    (LATER + "JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT, JSON_ARRAY, JSON_TABLE",
     lambda s, w, a, what, how: re.search(
         r"JSON_(VALUE|QUERY|EXISTS|OBJECT|ARRAY|TABLE)\b", s.sql)),
    (LATER + "functions that are missing",
     lambda s, w, a, what, how: re.search(r"Function '\w+' not registered", told(a))
     or re.search(r"Unknown type: (color|hyperloglog|tdigest|qdigest|setdigest)", told(a))),
    (LATER + "the depth of a recursion is limited (it never ends)",
     lambda s, w, a, what, how: "NO_ANSWER" in told(a)),
    (LATER + "transactions",
     lambda s, w, a, what, how: s.file == "sessions" and re.match(
         "START TRANSACTION|COMMIT|ROLLBACK", s.sql)),
    (LATER + "a unit or a time zone that is no constant",
     lambda s, w, a, what, how: "must be a constant" in told(a)),
    (LATER + "lambdas as the engine takes them (NULL arguments, array_sort, other accumulator types)",
     lambda s, w, a, what, how: "->" in s.sql and what in ("refused", "error", "accepted")),
    (LATER + "operators of time with time zone, and its precision",
     lambda s, w, a, what, how: re.search(r"time\(\d\) with time zone|time with time zone|"
                                          r"TIME '[^']*[+-]\d", s.sql + how)
     and not s.sql.startswith("SELECT CAST(TIMESTAMP")),
    (LATER + "overloads that are missing",
     lambda s, w, a, what, how: "Unexpected parameters" in told(a) and what in ("refused", "error")),
    (LATER + "the place of 'Unexpected parameters' without arguments",
     lambda s, w, a, what, how: what == "position" and ours_has_no_place(w, a)),
    (LATER + "the place of an operator, or of what is deeper in a statement",
     lambda s, w, a, what, how: what == "position"),
    (LATER + "the overloads that 'Unexpected parameters' lists",
     lambda s, w, a, what, how: what == "words" and "Unexpected parameters" in how),
    (LATER + "what a syntax error expects",
     lambda s, w, a, what, how: what == "words" and "mismatched input" in how),
    (LATER + "other words of an error",
     lambda s, w, a, what, how: what == "words"),
    (LATER + "casts that Trino does not know (to char, to and from json, uuid, text to times)",
     lambda s, w, a, what, how: "Cannot cast" in how and "error" in w
     and w["error"]["name"] == "TYPE_MISMATCH"),
    (LATER + "what may be ordered or compared (map, json, NULL inside rows and arrays, NaN)",
     lambda s, w, a, what, how: re.search(
         r"orderable|comparison not supported|json < json|map\(.*<|nan\(\)|NaN|\bNULL\) ?[=<]",
         s.sql + how)),
    (LATER + "type NULL (unknown) in arrays, maps and results",
     lambda s, w, a, what, how: "unknown" in how.partition(", not ")[0] or (
         what == "types" and re.search(r"\bNULL\b|\[\]|MAP\(\)", s.sql))),
    (LATER + "the name of a column or of a row's field",
     lambda s, w, a, what, how: what == "columns"),
    (LATER + "lengths of varchar",
     lambda s, w, a, what, how: what == "types" and only_lengths(how)),
    (LATER + "other types of results",
     lambda s, w, a, what, how: what == "types"),
    (LATER + "NULL as an argument: answered, or answered otherwise",
     lambda s, w, a, what, how: s.file == "null_arguments" or re.search(
         r"\(NULL\b|, NULL\b", s.sql) and what == "rows"),
    (LATER + "casts of text and numbers at their edges",
     lambda s, w, a, what, how: re.match(r"SELECT (TRY_)?CAST\(", s.sql)),
    (LATER + "dates, times and intervals",
     lambda s, w, a, what, how: s.file in ("dates_times", "time_zones")
     or re.search(r"TIMESTAMP|DATE '|TIME '|INTERVAL", s.sql)),
    (LATER + "DDL, SHOW and sessions",
     lambda s, w, a, what, how: s.file in ("definitions", "show", "sessions", "explain",
                                           "row_changes")),
    (LATER + "accepted where Trino refuses",
     lambda s, w, a, what, how: what == "accepted"),
    (LATER + "another error",
     lambda s, w, a, what, how: what == "error"),
    (LATER + "refused where Trino answers",
     lambda s, w, a, what, how: what == "refused"),
    (LATER + "another value",
     lambda s, w, a, what, how: True),
]


def reason_of(statement, wanted, answer, what, how):
    return next(reason for reason, fits in RULES if fits(statement, wanted, answer, what, how))
