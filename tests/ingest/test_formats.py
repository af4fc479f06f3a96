"""Files that are packed, that hold several files, Excel, XML, and records inside of JSON."""
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import duckdb
import pytest

from support.meesh import ROOT


@pytest.fixture
def mesh(lonely):
    (lonely.meesh.mesh / "in").mkdir()
    return lonely


def put(mesh, name, content):
    path = mesh.meesh.mesh / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def take(mesh, code=0, **tables):
    mesh.source("files", kind="files", tables=tables)
    mesh.meesh.start()
    return mesh.ingest("run", "files", "--run-date", "2025-01-15", code=code)


def csv(first, count):
    return "id,name\n" + "".join(f"{i},n{i}\n" for i in range(first, first + count))


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def tarred(**members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name + ".csv")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return out.getvalue()


def test_packed_files_and_archives_are_read(mesh):
    put(mesh, "a.csv.gz", gzip.compress(csv(1, 10).encode()))
    put(mesh, "b.csv.bz2", bz2.compress(csv(11, 10).encode()))
    put(mesh, "c.csv.xz", lzma.compress(csv(21, 10).encode()))
    put(mesh, "z.zip", zipped(x_dot_csv=csv(31, 10), sub__y_dot_csv=csv(41, 10).replace("n41", "n41,too"),
                              readme_dot_md="no table", __MACOSX__x_dot_csv="rubbish"))
    put(mesh, "t.tgz", tarred(one=csv(51, 10), two=csv(61, 10)))
    put(mesh, "e.json.bz2", bz2.compress(b'[{"id": 1}, {"id": 2}]'))
    put(mesh, "p.csv", csv(1, 3))
    put(mesh, "broken.csv.bz2", bz2.compress(csv(1, 5000).encode())[:-40])
    take(mesh, code=1, packed={"path": "in/?.csv.*"}, zipped={"path": "in/z.zip", "members": "**/*.csv"},
         tarred={"path": "in/t.tgz"}, json={"path": "in/e.json.bz2"}, broken={"path": "in/broken.csv.bz2"})
    count = "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM lake.bronze."
    assert mesh.query(count + "packed") == [[30, 30, 1, 30]]
    assert mesh.query(count + "zipped") == [[19, 19, 31, 50]]
    assert mesh.query("SELECT _file, _line FROM lake.bronze.zipped__rejected") == [
        [f"{mesh.meesh.mesh.resolve()}/in/z.zip/sub/y.csv", 2]]
    assert mesh.query(count + "tarred") == [[20, 20, 51, 70]]
    assert mesh.query(count + "json") == [[2, 2, 1, 2]]
    told = mesh.ingest("run", "files.broken", code=1)
    assert "in/broken.csv.bz2 cannot be unpacked" in told
    assert not list((mesh.meesh.data / "ingest").glob("*"))  # copies are gone


def excel(path, sql, sheet="Sheet1"):
    """By DuckDB; the reader is the same extension's, so the values are looked at, not the cells."""
    db = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    extension = next(ROOT.glob(".deps/duckdb-*/extensions/excel.duckdb_extension"))
    db.execute(f"LOAD '{extension}'")
    db.execute(f"COPY ({sql}) TO '{path}' (FORMAT xlsx, HEADER true, SHEET '{sheet}')")


def test_excel_sheets_become_tables(mesh):
    folder = mesh.meesh.mesh / "in"
    excel(folder / "a.xlsx", "SELECT range AS Id, 'n' || range AS \"Full Name\", range + 0.5 AS price, "
          "DATE '2024-02-01' + range::int AS day, TIMESTAMP '2024-01-02 03:04:05' AS at, range % 2 = 0 "
          "AS even, '00' || range AS code FROM range(1, 101)", "Data 1")
    excel(folder / "b.xlsx", "SELECT range AS id, range * 2 AS \"Full Name\" FROM range(101, 111)", "Data 1")
    excel(folder / "mixed.xlsx", "SELECT * FROM (VALUES ('1', 'x'), ('two', 'y')) t(n, s)")
    put(mesh, "no.xlsx", "this is no Excel file")
    put(mesh, "in.zip", zipped(**{"a_dot_xlsx": (folder / "a.xlsx").read_bytes()}))
    told = take(mesh, code=1, both={"path": "in/[ab].xlsx", "sheet": "Data 1"},
                part={"path": "in/a.xlsx", "range": "A1:B11"}, mixed={"path": "in/mixed.xlsx"},
                zipped={"path": "in/in.zip", "columns": {"price": "decimal(10,2)"}},
                no={"path": "in/no.xlsx"}, sheet={"path": "in/a.xlsx", "sheet": "Data"})
    assert "in/no.xlsx cannot be read as Excel" in told
    assert 'Sheet "Data" not found' in told
    types = dict(mesh.query("SELECT column_name, data_type FROM lake.information_schema.columns "
                            "WHERE table_schema = 'bronze' AND table_name = 'both'"))
    assert {k: v for k, v in types.items() if k[0] != "_"} == {
        "id": "bigint", "full name": "varchar", "price": "double", "day": "date",
        "at": "timestamp(6)", "even": "boolean", "code": "varchar"}
    assert mesh.query("SELECT count(*), sum(id), max(code), min(day) = DATE '2024-02-02', count(price) "
                      "FROM lake.bronze.both") == [[110, 110 * 111 // 2, "0099", True, 100]]
    assert mesh.query('SELECT "full name" FROM lake.bronze.both WHERE id = 105') == [["210"]]
    assert mesh.query("SELECT count(*), max(id) FROM lake.bronze.part") == [[10, 10]]
    assert sorted(mesh.query("SELECT n, s FROM lake.bronze.mixed")) == [["1", "x"], ["two", "y"]]
    assert mesh.query("SELECT CAST(price AS varchar) FROM lake.bronze.zipped WHERE id = 7") == [["7.50"]]


ORDERS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE orders [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<export><meta>x</meta><orders>
  <order id="1" open="true"><customer>Ann &amp; Bjørn</customer><zip>01234</zip><total>12.50</total>
    <items><item sku="a">2</item><item sku="b">3</item></items></order>
  <order id="2" open="false"><customer/><zip>9999</zip><total>7</total><tag>x</tag><tag>y</tag></order>
</orders></export>"""


def test_xml_elements_become_rows(mesh):
    put(mesh, "o.xml", ORDERS.encode("latin-1"))
    put(mesh, "p.xml.gz", gzip.compress(ORDERS.replace('id="', 'id="1').encode("latin-1")))
    put(mesh, "plain.xml", "<rows>" + "".join(f"<row><id>{i}</id></row>" for i in range(50)) + "</rows>")
    put(mesh, "bad.xml", "<rows><row>\n<id>1</row></rows>")
    told = take(mesh, code=1, orders={"path": "in/[op].xml*", "records": "//order"},
                plain={"path": "in/plain.xml"}, bad={"path": "in/bad.xml"})
    assert "in/bad.xml: line 2:" in told and "it is no XML" in told
    assert mesh.query("SELECT id, open, customer, zip, total FROM lake.bronze.orders ORDER BY id") == [
        [1, True, "Ann & Bjørn", "01234", 12.5], [2, False, None, "9999", 7.0],
        [11, True, "Ann & Bjørn", "01234", 12.5], [12, False, None, "9999", 7.0]]
    assert mesh.query("SELECT count(*), sum(id) FROM lake.bronze.plain") == [[50, 1225]]
    assert mesh.query("SELECT items.item[2].sku, items.item[2].value FROM lake.bronze.orders WHERE id = 1"
                      ) == [["b", "3"]]


def test_records_inside_of_json_become_rows(mesh):
    put(mesh, "a.json", json.dumps({"meta": {}, "data": {"items": [{"id": i} for i in range(20)]}}, indent=1))
    put(mesh, "b.json.gz", gzip.compress(json.dumps({"data": {"items": [{"id": 20}]}}).encode()))
    put(mesh, "other.json", '{"rows": []}')
    told = take(mesh, code=1, items={"path": "in/[ab].json*", "records": "data.items"},
                other={"path": "in/other.json", "records": "data"})
    assert "in/other.json has nothing where 'data' says" in told
    assert mesh.query("SELECT count(*), sum(id) FROM lake.bronze.items") == [[21, 210]]


def test_an_incremental_run_takes_archives_once_and_dated_folders(mesh):
    put(mesh, "2025-01-15/a.zip", zipped(a_dot_csv=csv(1, 5), b_dot_csv=csv(6, 5)))
    put(mesh, "2025-01-16/a.zip", zipped(a_dot_csv=csv(11, 5)))
    put(mesh, "once/a.csv", csv(1, 5))
    take(mesh, dated={"path": "in/{date}/*.zip", "mode": "incremental"},
         once={"path": "in/once/*.csv", "mode": "incremental", "only_new": True})
    for date, count in (("2025-01-15", 10), ("2025-01-16", 15), ("2025-01-17", 15)):
        mesh.ingest("run", "files.dated", "--run-date", date)
        assert mesh.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.dated") == [[count, count]]
    put(mesh, "once/a.csv", csv(100, 50))
    put(mesh, "once/b.csv", csv(6, 5))
    mesh.ingest("run", "files.once")
    assert mesh.query("SELECT count(*), max(id) FROM lake.bronze.once") == [[10, 10]]
