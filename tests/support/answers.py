"""The Trino protocol by hand, for tests that need what no client shows: pages, errors as they are
on the wire, results too large for a client's patience."""
import requests


class Statement:
    """One statement, followed page by page."""

    def __init__(self, url, sql, session=None, **headers):
        self.http = session or requests.Session()
        self.headers = {"X-Trino-User": "tester",
                        **{f"X-Trino-{k.replace('_', '-')}": v for k, v in headers.items()}}
        response = self.http.post(f"{url}/v1/statement", data=sql.encode(), headers=self.headers)
        response.raise_for_status()
        self.page = response.json()

    def next(self):
        """The following page, or None after the last."""
        if "nextUri" not in self.page:
            return None
        response = self.http.get(self.page["nextUri"], headers=self.headers)
        response.raise_for_status()
        self.page = response.json()
        return self.page

    def pages(self):
        page = self.page
        while page:
            yield page
            page = self.next()

    def finish(self):
        """(rows, error or None)"""
        rows = []
        for page in self.pages():
            rows += page.get("data") or []
        return rows, self.page.get("error")


def rows_of(url, sql, **headers):
    rows, error = Statement(url, sql, **headers).finish()
    assert not error, error
    return rows


def error_of(url, sql, **headers):
    rows, error = Statement(url, sql, **headers).finish()
    assert error, f"no error but {rows[:3]}"
    return error
