"""Listings against a model: every page of every combination is what a sorted list would give."""
import random
import urllib.parse

import pytest
from support.s3 import all_keys, refused


def model(keys, prefix="", delimiter="", after=""):
    """[("key" | "prefix", name)] in order."""
    seen, found = set(), []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix):]
        name, kind = key, "key"
        if delimiter and delimiter in rest:
            name, kind = prefix + rest[:rest.index(delimiter)] + delimiter, "prefix"
        # A listing begins behind the key told, inside a common prefix too; behind a common prefix
        # if that is what is told.
        if key.encode() <= after.encode() or name in seen or (kind == "prefix" and name == after):
            continue
        if kind == "prefix":
            seen.add(name)
        found.append((kind, name))
    return found


def entries(page):
    """The entries of a page in order, keys and common prefixes merged."""
    found = [("key", o["Key"]) for o in page.get("Contents", [])]
    found += [("prefix", p["Prefix"]) for p in page.get("CommonPrefixes", [])]
    return sorted(found, key=lambda e: e[1].encode())


@pytest.fixture(scope="module")
def tree(endpoint):
    """(bucket, its keys): folders of several depths and names that sort badly."""
    s3 = endpoint.client()
    bucket = f"tree-{random.SystemRandom().randrange(10**9)}"
    s3.create_bucket(Bucket=bucket)
    chosen = random.Random(11)
    keys = {f"top-{n}" for n in range(7)} | {"a-", "a0", "zzz", "ü", "日本", "😀"}
    while len(keys) < 260:
        depth = chosen.randint(1, 4)
        keys.add("/".join(chosen.choice(["a", "b", "aa", "c d", "e+f", "g%h", "é", "z-"])
                          for _ in range(depth)) + f"/f{chosen.randint(0, 20)}.csv")
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    yield bucket, keys
    if not endpoint.owned:
        from support.s3 import remove_bucket
        remove_bucket(s3, bucket)


QUERIES = [("", ""), ("", "/"), ("a/", "/"), ("a/", ""), ("a", "/"), ("aa/b", "/"), ("é", ""),
           ("é/", "/"), ("none", "/"), ("c d/", "/"), ("e+f/", ""), ("g%h/", "/"), ("a/b/", "/"),
           ("top-", "")]
DELIMITERS = [("", "."), ("", "f"), ("a/", "/f"), ("", "csv"), ("", "é")]


@pytest.mark.parametrize("prefix,delimiter", QUERIES + DELIMITERS)
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.minio_differs("pages by folder", only={
    f"{limit}-{question}" for limit in (1, 3) for question in ("-.", "-f", "a/-/f", r"-\xe9")})
def test_v2_pages_like_the_model(endpoint, s3, tree, prefix, delimiter, limit):
    bucket, keys = tree
    expected = model(keys, prefix, delimiter)
    found, token = [], {}
    for turn in range(len(keys) + 1):
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter=delimiter, MaxKeys=limit,
                                  **token)
        got = entries(page)
        assert page["KeyCount"] == len(got) <= limit
        assert page["MaxKeys"] == limit and page["Name"] == bucket
        found += got
        assert found == expected[:len(found)]
        if not endpoint.is_minio():  # which may tell of a page more, an empty one
            assert page["IsTruncated"] == (len(found) < len(expected))
        if not page["IsTruncated"]:
            assert "NextContinuationToken" not in page
            break
        assert len(got) == limit
        if turn == 25:  # enough of the small pages
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert found == expected


@pytest.mark.parametrize("prefix,delimiter", QUERIES)
@pytest.mark.parametrize("limit", [7, 1000])
def test_v1_pages_like_the_model(endpoint, s3, tree, prefix, delimiter, limit):
    bucket, keys = tree
    expected = model(keys, prefix, delimiter)
    found, marker = [], ""
    while True:
        page = s3.list_objects(Bucket=bucket, Prefix=prefix, Delimiter=delimiter, MaxKeys=limit,
                               Marker=marker)
        found += entries(page)
        if not page["IsTruncated"]:
            break
        if delimiter:  # only then Amazon tells it
            marker = page["NextMarker"]
            if not endpoint.is_minio():  # which appends where its cache is
                assert marker == found[-1][1]
        else:
            marker = found[-1][1]
    assert found == expected


def test_random_questions(endpoint, s3, tree):
    bucket, keys = tree
    chosen = random.Random(5)
    ordered = sorted(keys)
    for _ in range(60):
        some = chosen.choice(ordered)
        prefix = chosen.choice(["", some[:chosen.randint(0, len(some))]])
        delimiter = chosen.choice(["", "/", "/"])
        after = chosen.choice(["", "", chosen.choice(ordered), chosen.choice(ordered)[:-2], "zz"])
        if endpoint.is_minio() and delimiter:  # see the next test
            after = after.split("/")[0]
        limit = chosen.randint(1, 40)
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter=delimiter, MaxKeys=limit,
                                  StartAfter=after)
        expected = model(keys, prefix, delimiter, after)
        assert entries(page) == expected[:limit], (prefix, delimiter, after, limit)
        if not endpoint.is_minio():
            assert page["IsTruncated"] == (len(expected) > limit)


@pytest.mark.parametrize("after,told", [
    ("a/1", ["a/", "b/", "c"]), ("a/2", ["b/", "c"]), ("a/", ["b/", "c"]), ("b/1", ["c"]),
    ("a/1x", ["a/", "b/", "c"])])
@pytest.mark.minio_differs("goes behind the prefix", only={"a/1-told0", "a/1x-told4"})
def test_a_listing_begins_inside_a_common_prefix(s3, bucket, after, told):
    """StartAfter is a key: what comes behind it is grouped, also of the prefix it stands in."""
    for key in ("a/1", "a/2", "b/1", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", StartAfter=after)
    assert [name for _, name in entries(page)] == told


def test_a_marker_that_is_a_common_prefix_goes_behind_it(s3, tree):
    bucket, keys = tree
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a/")
    assert entries(page) == model(keys, "", "/", "a/")


def test_nothing_may_be_asked_for(s3, tree):
    bucket, _ = tree
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert page["KeyCount"] == 0 and page["IsTruncated"] is False
    assert s3.list_objects(Bucket=bucket, MaxKeys=0)["IsTruncated"] is False


@pytest.mark.minio_differs("echoes what was asked for")
def test_never_more_than_a_thousand(endpoint, tree):
    bucket, _ = tree
    answer = endpoint.request("GET", f"/{bucket}", {"list-type": "2", "max-keys": "100000"})
    assert answer.element("MaxKeys") == "1000"


@pytest.mark.parametrize("query", [{"max-keys": "-1"}, {"max-keys": "x"}, {"encoding-type": "base64"},
                                   {"list-type": "2", "continuation-token": ""},
                                   {"max-keys": "99999999999999999999"}])
def test_questions_that_make_no_sense(endpoint, tree, query):
    answer = endpoint.request("GET", f"/{tree[0]}", query)
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.mark.parametrize("token", ["nonsense", "\x01", "AAAA", "a" * 5000])
def test_a_forged_token_does_no_harm(endpoint, tree, token):
    answer = endpoint.request("GET", f"/{tree[0]}", {"list-type": "2", "continuation-token": token})
    assert answer.status in (200, 400), answer


def test_what_an_entry_tells(s3, tree):
    bucket, keys = tree
    [entry] = s3.list_objects_v2(Bucket=bucket, Prefix="top-3", FetchOwner=True)["Contents"]
    head = s3.head_object(Bucket=bucket, Key="top-3")
    assert entry["ETag"] == head["ETag"] and entry["Size"] == 5
    assert entry["StorageClass"] == "STANDARD" and entry["Owner"]["ID"]
    assert abs((entry["LastModified"] - head["LastModified"]).total_seconds()) < 1
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket, Prefix="top-3")["Contents"][0]
    assert s3.list_objects(Bucket=bucket, Prefix="top-3")["Contents"][0]["Owner"]["ID"]


def test_names_encoded_for_urls(endpoint, tree):
    bucket, keys = tree
    answer = endpoint.request("GET", f"/{bucket}", {"list-type": "2", "prefix": "g%h/",
                                                    "delimiter": "/", "encoding-type": "url"})
    assert answer.element("EncodingType") == "url"
    prefixes = [urllib.parse.unquote_plus(p.split("</Prefix>")[0]) for p in
                answer.body.decode().split("<CommonPrefixes><Prefix>")[1:]]
    assert prefixes == [n for kind, n in model(keys, "g%h/", "/") if kind == "prefix"]
    assert answer.element("Prefix") == "g%25h/"


def test_a_listing_sees_every_change_at_once(s3, bucket):
    for n in range(30):
        s3.put_object(Bucket=bucket, Key=f"k{n}", Body=b"")
        assert len(all_keys(s3, bucket)) == n + 1
    for n in range(30):
        s3.delete_object(Bucket=bucket, Key=f"k{n}")
        assert len(all_keys(s3, bucket)) == 29 - n


def test_pages_stay_right_while_keys_come_and_go(s3, bucket):
    stable = [f"s{n:03}" for n in range(60)]
    for key in stable:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    found, token, turn = [], {}, 0
    while True:
        page = s3.list_objects_v2(Bucket=bucket, MaxKeys=7, **token)
        found += [o["Key"] for o in page["Contents"]]
        s3.put_object(Bucket=bucket, Key=f"r{turn:03}", Body=b"")  # before what was told
        s3.put_object(Bucket=bucket, Key=f"s{turn * 7:03}x", Body=b"")
        turn += 1
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert [k for k in found if k in stable] == stable
    assert len(found) == len(set(found))


@pytest.mark.full
def test_a_deep_listing_of_twenty_thousand_keys(endpoint, s3, bucket):
    from concurrent.futures import ThreadPoolExecutor
    keys = [f"y={n % 10}/m={n % 12:02}/part-{n:05}.parquet" for n in range(20000)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket=bucket, Key=k, Body=b""), keys))
    assert all_keys(s3, bucket) == sorted(keys)
    assert [p["Prefix"] for p in s3.list_objects_v2(Bucket=bucket, Delimiter="/")[
        "CommonPrefixes"]] == [f"y={n}/" for n in range(10)]
