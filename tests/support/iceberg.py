"""Clients of the Iceberg REST catalog."""
from dataclasses import dataclass

import requests


@dataclass
class RestCatalog:
    """Plain requests below a prefix ("lake")."""
    base: str
    session: requests.Session
    prefix: str = "lake"

    def __call__(self, method, path, body=None, **options):
        return self.session.request(method, f"{self.base}/{self.prefix}/{path}", json=body,
                                    timeout=30, **options)

    def plain(self, method, path, **options):
        return self.session.request(method, f"{self.base}/{path}", timeout=30, **options)


def python_catalog(server, warehouse="lake", **properties):
    """PyIceberg's catalog; its files are read and written with keys that the server vends."""
    from pyiceberg.catalog.rest import RestCatalog as PyIceberg
    return PyIceberg("tests", uri=f"{server.url}/iceberg", warehouse=warehouse,
                     **{"header.X-Iceberg-Access-Delegation": "vended-credentials", **properties})


def error_of(answer):
    """(status, type, message) of the protocol's error body."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["type"], error["message"]
