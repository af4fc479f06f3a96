"""The demo's folder data/uploads: files that people put there are rows of the lake, each file once."""


def events(first, count):
    return "event_id,customer_id,event_type,event_date\n" + "".join(
        f"e{i},{i % 3 + 1},visit,2025-01-{1 + i % 28:02}\n" for i in range(first, first + count))


def test_files_that_are_new_are_taken(ours, query):
    folder = ours.mesh / "data" / "uploads"
    folder.mkdir(parents=True, exist_ok=True)

    def run():
        done = ours.run("ingest", "run", "uploads", "--run-date", "2025-02-01", "--server", ours.url)
        assert done.returncode == 0, done.stdout + done.stderr
        return query("SELECT count(*), count(DISTINCT event_id), "
                     "array_join(array_agg(DISTINCT _source), ',') FROM lake.raw.customer_events")

    (folder / "customer_events_1.csv").write_text(events(0, 40))
    for _ in range(2):
        assert run() == [[40, 40, "uploads.customer_events"]]
    (folder / "customer_events_2.csv").write_text(events(40, 19) + "e99,many,visit,2025-01-01\n")
    assert run() == [[59, 59, "uploads.customer_events"]]
    assert query("SELECT _line, _column, _text FROM lake.raw.customer_events__rejected") == [
        [21, "customer_id", "e99,many,visit,2025-01-01"]]
    assert query('SELECT count(*) FROM lake.raw."customer_events$files" WHERE file_path LIKE '
                 "'s3://datalake/raw/customer_events/2025-02-01/%'")[0][0] > 0
