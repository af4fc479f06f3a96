"""The benchmark's data: the demo's tables, filled by `meesh demo load`. Same scale, same rows."""
import subprocess

from support.meesh import ROOT, binary


def load(mesh, scratch, databases, scale):
    """Makes the demo's tables in the servers that `mesh` names, and fills them; the counts."""
    for domain, server in databases.items():
        server.query((ROOT / "demo" / "domains" / domain / "schema.sql").read_text())
    subprocess.run([str(binary()), "demo", "load", "--mesh", str(mesh), "--data", str(scratch),
                    "--scale", str(scale)], check=True)
    tables = {"customers": "sales", "orders": "sales", "leads": "marketing",
              "campaigns": "marketing"}
    for server in databases.values():
        server.query("ANALYZE")
    return {table: databases[domain].query(f"SELECT count(*) FROM {table}")[0][0]
            for table, domain in tables.items()}
