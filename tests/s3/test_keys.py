"""Keys that are hard: paths that climb, control characters, Unicode, every reserved character."""
import random
import unicodedata
from urllib.parse import unquote_plus

import pytest
from support.s3 import all_keys, body_of, refused

LONG = "ключ/鍵/🔑/" * 60
WELCOME_EVERYWHERE = [
    " ", "a b", " lead", "trail ", "+", "a+b", "%", "%2F", "a%2Fb", "%25", "%zz", "a%00b", "?", "a?b",
    "a#b", "&", "a&b=c", "=", ";", ":", "@", "!$'()*,", "[]", "{}", "|", "^", "`", '"', "'", "<b>&",
    "~tilde", "-._~", "été", unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"),
    "😀/🔑", "日本語/鍵", "\u202eright-to-left", "\u200b", "\ufeffbom", "CON", "NUL.txt",
    ".hidden", "...", "a..b", "..a", "a..", "file.", "CaSe", "case", "#comment", "=1+1", "-rf", "--",
    "$(id)", "`id`", "; DROP TABLE objects", "a\tb", "\x7f", "x" * 255]
NO_FOLDERS = [  # MinIO keeps keys as paths and refuses these
    "..", ".", "../up", "../../../../etc/passwd", "a/../b", "a/..", "./a", "a/./b", "/lead", "//", "/",
    "a//b", "a///", "//a", "..\\up", "x" * 1024]
ODD_PATHS = ["back\\slash", "a/" * 512, LONG.encode()[:1022].decode(errors="ignore")]
CONTROLS = ["\x01", "a\nb", "a\r\nb", "\x1b[31m", "a\x08", "\u0085", "\u2028"]
DIFFERS = pytest.mark.minio_differs("keys are paths of its file system")
KEYS = [*WELCOME_EVERYWHERE, *ODD_PATHS, *CONTROLS,
        *(pytest.param(k, marks=DIFFERS) for k in NO_FOLDERS)]


def shown(value):
    return ascii(value)[1:-1][:40] if isinstance(value, str) else None


@pytest.mark.parametrize("key", KEYS, ids=shown)
def test_a_key_is_itself_and_no_other(endpoint, s3, bucket, key):
    body = key.encode()
    answer = endpoint.request("PUT", f"/{bucket}/{key}", body=body)
    assert answer.status == 200, answer
    assert endpoint.request("GET", f"/{bucket}/{key}").body == body
    assert all_keys(s3, bucket) == [key]
    assert endpoint.request("HEAD", f"/{bucket}/{key}").headers["content-length"] == str(len(body))
    presigned = endpoint.presigned("GET", f"/{bucket}/{key}")
    assert (presigned.status, presigned.body) == (200, body)
    assert endpoint.request("DELETE", f"/{bucket}/{key}").status == 204
    assert all_keys(s3, bucket) == []


@DIFFERS
def test_hard_keys_live_side_by_side(endpoint, s3, bucket):
    keys = WELCOME_EVERYWHERE + ODD_PATHS + NO_FOLDERS + CONTROLS
    for key in keys:
        assert endpoint.request("PUT", f"/{bucket}/{key}", body=key.encode()).status == 200, key
    assert all_keys(s3, bucket) == sorted(set(keys), key=str.encode)
    told = all_keys(s3, bucket, EncodingType="url")  # asked for, boto3 leaves it to us
    assert [unquote_plus(key) for key in told] == sorted(set(keys), key=str.encode)
    for key in keys:
        assert endpoint.request("GET", f"/{bucket}/{key}").body == key.encode(), key


@pytest.mark.parametrize("key", ["a b+c", "été/😀", "a&b<c>\"'", "a%2Fb", "100%"])
def test_boto3_copies_deletes_and_completes_them(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    s3.copy_object(Bucket=bucket, Key=key + " copy", CopySource={"Bucket": bucket, "Key": key})
    assert body_of(s3, bucket, key + " copy") == b"content"
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key + " parts")
    assert upload["Key"] == key + " parts"
    part = s3.upload_part(Bucket=bucket, Key=key + " parts", UploadId=upload["UploadId"],
                          PartNumber=1, Body=b"part")
    done = s3.complete_multipart_upload(
        Bucket=bucket, Key=key + " parts", UploadId=upload["UploadId"],
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert done["Key"] == key + " parts"
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key},
                                                                  {"Key": key + " copy"}]})
    assert {d["Key"] for d in answer["Deleted"]} == {key, key + " copy"}
    assert all_keys(s3, bucket) == [key + " parts"]


@pytest.mark.parametrize("key", ["x" * 1025, "é" * 513])
def test_keys_over_1024_bytes_are_refused(endpoint, s3, bucket, key):
    answer = endpoint.request("PUT", f"/{bucket}/{key}", body=b"x")
    assert (answer.status, answer.code) == (400, "KeyTooLongError")
    assert all_keys(s3, bucket) == []


@pytest.mark.minio_differs("counts the bytes of a name in its file system")
def test_the_longest_key_in_utf8(endpoint, s3, bucket):
    key = "é" * 512
    assert endpoint.request("PUT", f"/{bucket}/{key}", body=b"x").status == 200
    assert all_keys(s3, bucket) == [key]


@pytest.mark.parametrize("encoded", ["%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80", "%F8%88%80%80%80"])
def test_bytes_that_are_no_key(endpoint, s3, bucket, encoded):
    path = f"/{bucket}/{encoded}"
    headers = endpoint.signer().headers("PUT", path, "", {"host": endpoint.netloc},
                                        "UNSIGNED-PAYLOAD")
    answer = endpoint.send("PUT", path, headers=headers, body=b"x")
    assert 400 <= answer.status < 500, answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc",
                                  "/.", "/..", "//", "/%2F"])
def test_paths_that_climb_out_of_the_bucket(endpoint, path):
    signer = endpoint.signer()
    for method in ("GET", "PUT", "DELETE"):
        headers = signer.headers(method, path, "", {"host": endpoint.netloc}, "UNSIGNED-PAYLOAD")
        answer = endpoint.send(method, path, headers=headers)
        assert b"root:" not in answer.body
        if path not in ("//",):
            assert 400 <= answer.status < 500, (method, answer)


def test_a_slash_after_the_bucket_is_the_bucket(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert endpoint.request("GET", f"/{bucket}/").body.count(b"<Key>") == 1


def test_random_keys_come_back_in_byte_order(endpoint, s3, bucket):
    chosen = random.Random(7)
    alphabet = "ab/ +%é日😀.-_~&?#'\"<>"
    keys = {"k" + "".join(chosen.choices(alphabet, k=chosen.randint(0, 12))).replace("//", "/").strip(
        "/. ") for _ in range(150)}
    keys = {k for k in keys if "/." not in k and "./" not in k}
    # None the folder of another: MinIO could not keep both.
    keys = {k for k in keys if not any(other.startswith(k + "/") for other in keys)}
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert all_keys(s3, bucket) == sorted(keys, key=str.encode)


def test_the_bucket_in_the_host_name(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a/b c", Body=b"x")
    if endpoint.kind == "minio":
        pytest.skip("needs MINIO_DOMAIN")
    virtual = {"host": f"{bucket}.localhost:{endpoint.port}"}
    headers = endpoint.signer().headers("GET", "/a/b%20c", "", virtual, "UNSIGNED-PAYLOAD")
    assert endpoint.send("GET", "/a/b%20c", headers=headers).body == b"x"
    headers = endpoint.signer().headers("GET", "/", "", virtual, "UNSIGNED-PAYLOAD")
    assert b"<Key>a/b c</Key>" in endpoint.send("GET", "/", headers=headers).body
