"""Keeps one dbt warm: a command a line comes in, events as lines go out, all JSON.

in:   {"arguments": ["run", "--select", "x", …], "environment": {"NAME": "value"}}
out:  {"event": "node", "id": …, "status": "started"}      a node begins
      {"event": "node", …, "status": "success", "message": …, "seconds": 0.2, "rows": 5}
      {"event": "plan", "total": 12}                       that many nodes will have their turn
      {"event": "line", "level": "info", "text": …}        what dbt tells people
      {"event": "done", "good": true, "error": "", "invocation": …, "seconds": 3.1}

Ends when its input does, after Ctrl-C (dbt cancels its statements first), and when nothing came
for as many seconds as its argument says.
"""
import json
import os
import select
import sys
import threading
import time

# What prints goes to the log; only we write to the one who asks.
asker = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
lock = threading.Lock()


def tell(**event):
    line = json.dumps(event, default=str)
    with lock:
        asker.write(line + "\n")
        asker.flush()


def number(value):
    return None if value is None or value < 0 else int(value)


def node_event(event):
    node = event.data.node_info
    place = node.node_relation
    told = {"id": node.unique_id, "type": node.resource_type, "name": node.node_name,
            "relation": [place.database, place.schema, place.alias]
                        if node.materialized != "ephemeral" else []}
    if event.info.name == "NodeStart":
        return tell(event="node", status="started", **told)
    result = event.data.run_result
    answer = dict(result.adapter_response)
    tell(event="node", status=result.status or node.node_status, message=result.message,
         seconds=result.execution_time, rows=number(answer.get("rows_affected")),
         failures=number(result.num_failures) if node.resource_type == "test" else None, **told)


def on_event(event):
    if event.info.name in ("NodeStart", "NodeFinished"):
        node_event(event)
    elif event.info.name == "ConcurrencyLine":
        tell(event="plan", total=event.data.node_count)
    elif event.info.level in ("info", "warn", "error") and event.info.msg.strip():
        tell(event="line", level=event.info.level, text=event.info.msg.strip())


def work(dbt, command):
    os.environ.update(command.get("environment", {}))
    started = time.monotonic()
    try:
        answer = dbt(callbacks=[on_event]).invoke(command["arguments"])
        good, error = bool(answer.success), answer.exception
    except Exception as failure:  # dbt's own mistakes end the command, not us
        good, error = False, failure
    from dbt_common.invocation import get_invocation_id
    tell(event="done", good=good, error=str(error) if error else "",
         invocation=get_invocation_id(), seconds=time.monotonic() - started)
    if isinstance(error, KeyboardInterrupt):
        raise error


def is_ours(options):
    """Our own server, which knows the token; a project's own profile may name another."""
    return (options.get("host") in (os.environ.get("MEESH_HOST"), "localhost")
            and str(options.get("port")) == os.environ.get("MEESH_PORT"))


def tag_statements():
    """Every connection tells which run it is part of, and ours that it may come in."""
    import trino.dbapi
    connect = trino.dbapi.connect

    def tagged(*arguments, **options):
        token = os.environ.get("MEESH_TOKEN", "")
        if token and not options.get("auth") and is_ours(options):
            options["http_headers"] = {"Authorization": "Bearer " + token,
                                       **(options.get("http_headers") or {})}
        ours = os.environ.get("MEESH_CLIENT_TAGS", "")
        tags = list(options.pop("client_tags", None) or []) + (ours.split(",") if ours else [])
        return connect(*arguments, client_tags=tags, **options)

    trino.dbapi.connect = tagged


def main():
    from dbt.cli.main import dbtRunner
    tag_statements()
    idle = float(sys.argv[1])
    pending = b""
    while select.select([0], [], [], idle)[0]:
        came = os.read(0, 65536)
        if not came:
            return
        pending += came
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            work(dbtRunner, json.loads(line))


try:
    main()
except (KeyboardInterrupt, BrokenPipeError):
    pass
finally:
    os._exit(0)  # threads of a cancelled command may still be at it
