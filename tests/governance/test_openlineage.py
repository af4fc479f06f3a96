"""OpenLineage: events of its own client come in, ours go out and are what its classes say."""
import uuid
from datetime import datetime, timezone

import requests
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent,
                                         RunState)
from openlineage.client.facet_v2 import (column_lineage_dataset, parent_run, processing_engine_run,
                                         schema_dataset, sql_job)
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport


def client(lineage, **config):
    return OpenLineageClient(transport=HttpTransport(HttpConfig(url=lineage.meesh.url, **config)))


def now():
    return datetime.now(timezone.utc).isoformat()


def run_event(state, run, job, inputs=(), outputs=()):
    return RunEvent(eventType=state, eventTime=now(), run=Run(runId=run),
                    job=Job(namespace="airflow", name=job), inputs=list(inputs),
                    outputs=list(outputs), producer="https://example.com/producer")


def name_of(lineage, table):
    return f"trino://127.0.0.1:{lineage.meesh.port}", f"lake.s.{table}"


def test_their_client_tells_us_of_a_run(lineage):
    space, name = name_of(lineage, "loaded")
    run = str(uuid.uuid4())
    field = column_lineage_dataset.InputField(
        namespace="kafka://broker:9092", name="clicks", field="at",
        transformations=[column_lineage_dataset.Transformation(type="DIRECT", subtype="IDENTITY")])
    facet = column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={"at": column_lineage_dataset.Fields(inputFields=[field])})
    source = InputDataset(namespace="kafka://broker:9092", name="clicks")
    told = client(lineage)
    told.emit(run_event(RunState.START, run, "load", [source]))
    told.emit(run_event(RunState.COMPLETE, run, "load", [],
                        [OutputDataset(namespace=space, name=name,
                                       facets={"columnLineage": facet})]))
    lineage.sql("CREATE TABLE mart (at varchar)")
    assert lineage.edges("lake.s.loaded") == {"kafka://broker:9092/clicks > lake.s.loaded"}
    assert lineage.edges("lake.s.loaded", column="at") == {
        "kafka://broker:9092/clicks.at > lake.s.loaded.at"}
    assert {e["eventType"] for e in lineage.events(run=run)} == {"START", "COMPLETE"}
    assert lineage.edges("kafka://broker:9092/clicks", direction="downstream")


def test_compressed_events_and_job_events(lineage):
    space, name = name_of(lineage, "t")
    client(lineage, compression=HttpCompression.GZIP).emit(JobEvent(
        eventTime=now(), job=Job(namespace="airflow", name="static"),
        inputs=[InputDataset(namespace="a://b", name="x")],
        outputs=[OutputDataset(namespace=space, name=name)],
        producer="https://example.com/producer"))
    assert lineage.edges("lake.s.t") == {"a://b/x > lake.s.t"}


def test_a_postgresql_table_is_known_by_its_address(lineage_of, postgres):
    server = postgres("shop")
    lineage = lineage_of({"shop": server})
    lineage.sql("CREATE TABLE shop.public.orders (id integer)")
    space, name = name_of(lineage, "bronze")
    client(lineage).emit(run_event(
        RunState.COMPLETE, str(uuid.uuid4()), "airbyte",
        [InputDataset(namespace=f"postgres://localhost:{server.port}", name="shop.public.orders")],
        [OutputDataset(namespace=space, name=name)]))
    assert lineage.edges("lake.s.bronze") == {"shop.public.orders > lake.s.bronze"}


def test_events_that_are_not_events_are_refused(lineage):
    event = {"eventType": "COMPLETE", "eventTime": now(), "producer": "https://example.com/x",
             "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
             "run": {"runId": str(uuid.uuid4())}, "job": {"namespace": "a", "name": "b"}}
    assert lineage.post(event).status_code == 201
    answer = lineage.post({**event, "run": {"runId": "7"}})
    assert answer.status_code == 422
    assert answer.json()["pointer"] == "/run/runId"
    url = f"{lineage.meesh.url}/api/v1/lineage"
    headers = {"Content-Type": "application/json"}
    assert requests.post(url, data="{nonsense", headers=headers, timeout=30).status_code == 400
    assert requests.post(url, data="{}", timeout=30).status_code == 415
    batch = lineage.post([event, {**event, "job": {"namespace": "a"}}], path="/batch")
    assert batch.status_code == 422
    assert batch.json()["accepted"] == 1
    assert batch.json()["errors"][0]["pointer"] == "/1/job/name"
    assert lineage.post([event], path="/batch").status_code == 200
    assert lineage.post(event, path="/batch").status_code == 422


def checked(facet, made):
    """The facet as their class holds it, which refuses what it does not know."""
    rest = {k: v for k, v in facet.items() if not k.startswith("_")}
    assert facet["_schemaURL"] == made._get_schema() and facet["_producer"]
    return made(**rest)


def test_ours_are_what_their_classes_say(collector, lineage_of):
    lineage = lineage_of({}, lineage={"url": collector.url, "api_key": "secret", "namespace":
                                      "meesh://shop"})
    lineage.sql("CREATE TABLE source AS SELECT 1 AS n, 'x' AS name")
    run = str(uuid.uuid4())
    lineage.sql("CREATE TABLE target AS SELECT name, sum(n) AS total FROM source WHERE n > 0 "
                "GROUP BY name",
                client_tags=["meesh-job=shop.target", f"meesh-run={run}", "meesh-parent=nightly"])
    start, complete = collector.of("shop.target")
    assert collector.keys == {"Bearer secret"}
    assert [start["eventType"], complete["eventType"]] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["eventTime"] <= complete["eventTime"]
    assert complete["job"]["namespace"] == "meesh://shop"
    event = RunEvent(**{**{k: v for k, v in complete.items()
                           if k not in ("schemaURL", "run", "job", "inputs", "outputs")},
                        "eventType": RunState[complete["eventType"]],
                        "run": Run(runId=complete["run"]["runId"]),
                        "job": Job(namespace="meesh://shop", name=complete["job"]["name"])})
    assert complete["schemaURL"] == event.schemaURL
    facets = complete["run"]["facets"]
    checked(facets["processing_engine"], processing_engine_run.ProcessingEngineRunFacet)
    parent = checked(facets["parent"], parent_run.ParentRunFacet)
    assert parent.run["runId"] == run and parent.job["name"] == "nightly"
    sql = checked(complete["job"]["facets"]["sql"], sql_job.SQLJobFacet)
    assert sql.query.startswith("CREATE TABLE target")
    (source,), (target,) = complete["inputs"], complete["outputs"]
    assert source["namespace"] == f"trino://localhost:{lineage.meesh.port}"
    assert source["name"] == "lake.s.source" and target["name"] == "lake.s.target"
    fields = checked(target["facets"]["schema"], schema_dataset.SchemaDatasetFacet).fields
    assert [f["name"] for f in fields] == ["name", "total"]
    columns = checked(target["facets"]["columnLineage"],
                      column_lineage_dataset.ColumnLineageDatasetFacet)
    (total,) = columns.fields["total"]["inputFields"]
    assert column_lineage_dataset.InputField(**total).field == "n"
    assert total["transformations"][0]["subtype"] == "AGGREGATION"
    assert {(f["field"], t["subtype"]) for f in columns.dataset for t in f["transformations"]} == {
        ("n", "FILTER"), ("name", "GROUP_BY")}


def test_what_a_collector_missed_comes_later(start_meesh, collector, lineage_of):
    collector.status = 503
    lineage = lineage_of({}, lineage={"url": collector.url})
    lineage.sql("CREATE TABLE t AS SELECT 1 AS n")
    lineage.meesh.kill()
    collector.status = 201
    lineage.meesh = start_meesh(lineage.meesh.mesh, lineage.meesh.data)
    assert [e["eventType"] for e in collector.of("CREATE TABLE AS SELECT lake.s.t")] == [
        "START", "COMPLETE"]


def test_what_they_sent_us_goes_nowhere_else(collector, lineage_of):
    lineage = lineage_of({}, lineage={"url": collector.url})
    client(lineage).emit(run_event(RunState.COMPLETE, str(uuid.uuid4()), "theirs"))
    lineage.sql("CREATE TABLE t AS SELECT 1 AS n")
    collector.of("CREATE TABLE AS SELECT lake.s.t")
    assert not [e for e in collector.events if e["job"]["name"] == "theirs"]
