"""Checksums: every algorithm, in the header and as trailer, right and wrong, of parts and wholes."""
import base64
import hashlib
import os

import pytest
from support.s3 import body_of, code_of, refused
from support.s3_signature import (CHECKSUMS, SIGNED_STREAM, SIGNED_STREAM_TRAILER,
                                  UNSIGNED_STREAM_TRAILER, Chunks, unsigned_chunks)

ALGORITHMS = sorted(CHECKSUMS)
CRCS = ["CRC32", "CRC32C", "CRC64NVME"]


def header(algorithm):
    return f"x-amz-checksum-{algorithm.lower()}"


def wrong(value):
    raw = bytearray(base64.b64decode(value))
    raw[0] ^= 1
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 9, 70001])
def test_a_checksum_given_is_held_and_told(endpoint, s3, bucket, algorithm, size):
    body = os.urandom(size)
    value = CHECKSUMS[algorithm](body)
    answer = endpoint.request("PUT", f"/{bucket}/k", headers={header(algorithm): value}, body=body)
    assert answer.status == 200 and answer.headers[header(algorithm)] == value
    for got in (s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED"),
                s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")):
        assert got[f"Checksum{algorithm}"] == value
        assert got.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    plain = endpoint.request("GET", f"/{bucket}/k")
    assert header(algorithm) not in plain.headers  # only who asks is told


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_checksum_is_refused_and_leaves_nothing(endpoint, s3, bucket, algorithm):
    value = wrong(CHECKSUMS[algorithm](b"body"))
    answer = endpoint.request("PUT", f"/{bucket}/k", headers={header(algorithm): value},
                              body=b"body")
    assert answer.status == 400
    assert answer.code in ("BadDigest", "XAmzContentChecksumMismatch"), answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


@pytest.mark.parametrize("value", [
    pytest.param("", marks=pytest.mark.minio_differs("takes it for none")), "nonsense", "AAAA", "AAAAAAAAAAAA"])
def test_values_that_are_no_checksum(endpoint, bucket, value):
    answer = endpoint.request("PUT", f"/{bucket}/k", headers={header("CRC32"): value}, body=b"x")
    assert answer.status == 400
    assert answer.code in ("InvalidRequest", "InvalidArgument"), answer


@pytest.mark.minio_differs("takes the first")
def test_two_checksums_at_once_are_refused(endpoint, bucket):
    answer = endpoint.request("PUT", f"/{bucket}/k", body=b"x", headers={
        header("CRC32"): CHECKSUMS["CRC32"](b"x"), header("SHA1"): CHECKSUMS["SHA1"](b"x")})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_boto3_computes_and_verifies(s3, bucket, algorithm):
    if algorithm in ("CRC32C", "CRC64NVME"):
        pytest.skip("boto3 needs awscrt for it")
    body = os.urandom(100_000)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    assert put[f"Checksum{algorithm}"] == CHECKSUMS[algorithm](body)
    assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == body


def test_boto3_sends_a_checksum_without_being_asked(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    assert put["ChecksumCRC32"] == CHECKSUMS["CRC32"](b"content")


@pytest.mark.minio_differs("keeps none")
def test_an_object_without_one_gets_a_crc64(endpoint, s3, bucket):
    assert endpoint.request("PUT", f"/{bucket}/k", body=b"content").status == 200
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[
        "ChecksumCRC64NVME"] == CHECKSUMS["CRC64NVME"](b"content")


def test_no_checksum_of_the_whole_with_a_piece(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range="bytes=0-3", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"0123"
    assert not [name for name in got if name.startswith("Checksum") and name != "ChecksumType"]


# --- aws-chunked ------------------------------------------------------------------------------


def stream_head(endpoint, bucket, payload, length, extra=None):
    """(signer, headers) of an upload of `length` bytes of content in chunks."""
    signer = endpoint.signer()
    headers = {"host": endpoint.netloc, "content-encoding": "aws-chunked",
               "x-amz-decoded-content-length": str(length), **(extra or {})}
    return signer, signer.headers("PUT", f"/{bucket}/k", "", headers, payload)


def send(endpoint, bucket, headers, body):
    return endpoint.send("PUT", f"/{bucket}/k", headers=headers, body=body)


def signed_body(signer, headers, pieces, trailer=None):
    chunks = Chunks(signer, headers["authorization"].split("Signature=")[1])
    body = b"".join(chunks.chunk(piece) for piece in pieces) + chunks.last()
    return body + (chunks.trailer(*trailer) if trailer else b"\r\n")


PIECES = [b"a" * 8192, b"b" * 65536, b"tail"]
CONTENT = b"".join(PIECES)


def test_signed_chunks(endpoint, s3, bucket):
    signer, headers = stream_head(endpoint, bucket, SIGNED_STREAM, len(CONTENT))
    answer = send(endpoint, bucket, headers, signed_body(signer, headers, PIECES))
    assert answer.status == 200, answer
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == CONTENT  # no framing inside
    assert got.get("ContentEncoding", "") == ""


def test_another_encoding_stays_beside_the_framing(endpoint, s3, bucket):
    signer, headers = stream_head(endpoint, bucket, SIGNED_STREAM, 4,
                                  {"content-encoding": "aws-chunked,gzip"})
    assert send(endpoint, bucket, headers, signed_body(signer, headers, [b"1234"])).status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


@pytest.mark.parametrize("where", ["first byte", "in the middle", "last chunk", "a signature",
                                   "order"])
def test_signed_chunks_that_were_changed(endpoint, s3, bucket, where):
    signer, headers = stream_head(endpoint, bucket, SIGNED_STREAM, len(CONTENT))
    chunks = Chunks(signer, headers["authorization"].split("Signature=")[1])
    parts = [chunks.chunk(piece) for piece in PIECES] + [chunks.last() + b"\r\n"]
    if where == "first byte":
        parts[0] = parts[0].replace(b"aaaa", b"baaa", 1)
    elif where == "in the middle":
        parts[1] = parts[1].replace(b"bbbb", b"bbab", 1)
    elif where == "last chunk":
        parts[2] = parts[2].replace(b"tail", b"tali")
    elif where == "a signature":
        at = parts[3].index(b"=") + 1
        parts[3] = parts[3][:at] + (b"1" if parts[3][at:at + 1] != b"1" else b"2") + parts[3][
            at + 1:]
    else:
        parts[0], parts[1] = parts[1], parts[0]
    answer = send(endpoint, bucket, headers, b"".join(parts))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("payload", [SIGNED_STREAM_TRAILER, UNSIGNED_STREAM_TRAILER])
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_checksum_as_trailer(endpoint, s3, bucket, algorithm, payload, right):
    signer, headers = stream_head(endpoint, bucket, payload, len(CONTENT),
                                  {"x-amz-trailer": header(algorithm)})
    value = CHECKSUMS[algorithm](CONTENT)
    told = value if right else wrong(value)
    if payload == SIGNED_STREAM_TRAILER:
        body = signed_body(signer, headers, PIECES, (header(algorithm), told))
    else:
        body = b"".join(unsigned_chunks(CONTENT)) + f"{header(algorithm)}:{told}\r\n\r\n".encode()
    answer = send(endpoint, bucket, headers, body)
    if right:
        assert answer.status == 200, answer
        assert body_of(s3, bucket, "k") == CONTENT
        assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[
            f"Checksum{algorithm}"] == value
    else:
        assert answer.status == 400, answer
        assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_a_trailer_announced_must_come(endpoint, s3, bucket):
    _, headers = stream_head(endpoint, bucket, UNSIGNED_STREAM_TRAILER, len(CONTENT),
                             {"x-amz-trailer": header("CRC32")})
    answer = send(endpoint, bucket, headers, b"".join(unsigned_chunks(CONTENT)) + b"\r\n")
    assert 400 <= answer.status < 500, answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_the_trailer_has_a_signature_of_its_own(endpoint, s3, bucket):
    signer, headers = stream_head(endpoint, bucket, SIGNED_STREAM_TRAILER, len(CONTENT),
                                  {"x-amz-trailer": header("CRC32")})
    body = signed_body(signer, headers, PIECES, (header("CRC32"), CHECKSUMS["CRC32"](CONTENT)))
    at = body.index(b"trailer-signature:") + 18
    body = body[:at] + (b"0" if body[at:at + 1] != b"0" else b"1") + body[at + 1:]
    answer = send(endpoint, bucket, headers, body)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer


@pytest.mark.parametrize("length", [len(CONTENT) - 1, len(CONTENT) + 1, 0])
def test_the_decoded_length_must_fit(endpoint, s3, bucket, length):
    signer, headers = stream_head(endpoint, bucket, SIGNED_STREAM, length)
    answer = endpoint.send("PUT", f"/{bucket}/k", headers=headers,
                           body=signed_body(signer, headers, PIECES))
    assert 400 <= answer.status < 500, answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


@pytest.mark.parametrize("body", [
    b"", b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhello", b"5hello0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\n0\n\n", b"5\r\nhelloXX0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n", b"a" * 20000])
def test_framing_that_is_none(endpoint, s3, bucket, body):
    _, headers = stream_head(endpoint, bucket, UNSIGNED_STREAM_TRAILER, 5,
                             {"x-amz-trailer": header("CRC32")})
    with endpoint.socket(5) as sock:
        import socket
        lines = "".join(f"{n}: {v}\r\n" for n, v in {
            **headers, "content-length": str(len(body))}.items())
        sock.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}\r\n".encode() + body)
        sock.shutdown(socket.SHUT_WR)
        try:
            got = sock.recv(65536)
        except (ConnectionError, TimeoutError):
            got = b""
    assert not got.startswith(b"HTTP/1.1 2"), got
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_framing_inside_http_chunks(endpoint, s3, bucket):
    """What the Java SDK does when it knows no Content-Length."""
    _, headers = stream_head(endpoint, bucket, UNSIGNED_STREAM_TRAILER, len(CONTENT),
                             {"x-amz-trailer": header("CRC32")})
    framed = b"".join(unsigned_chunks(CONTENT)) + (
        f"{header('CRC32')}:{CHECKSUMS['CRC32'](CONTENT)}\r\n\r\n".encode())
    outer = b"".join(b"%x\r\n%s\r\n" % (len(framed[n:n + 1000]), framed[n:n + 1000])
                     for n in range(0, len(framed), 1000)) + b"0\r\n\r\n"
    answer = send(endpoint, bucket, {**headers, "transfer-encoding": "chunked"}, outer)
    assert answer.status == 200, answer
    assert body_of(s3, bucket, "k") == CONTENT


# --- multipart --------------------------------------------------------------------------------

PARTS = [b"x" * (5 << 20), b"y" * 100]


def multipart(s3, bucket, algorithm, kind=None, complete=None, bodies=PARTS):
    """Uploads parts with checksums; the answer of the completion."""
    options = {"ChecksumType": kind} if kind else {}
    began = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm,
                                       **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        value = CHECKSUMS[algorithm](body)
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=began, PartNumber=number,
                                Body=body, **{f"Checksum{algorithm}": value})
        parts.append({"PartNumber": number, "ETag": answer["ETag"],
                      f"Checksum{algorithm}": value})
    return s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=began,
                                        MultipartUpload={"Parts": parts}, **options,
                                        **(complete or {}))


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_the_checksum_of_checksums(s3, bucket, algorithm):
    done = multipart(s3, bucket, algorithm, "COMPOSITE")
    each = b"".join(base64.b64decode(CHECKSUMS[algorithm](body)) for body in PARTS)
    assert done[f"Checksum{algorithm}"] == CHECKSUMS[algorithm](each) + "-2"
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == CHECKSUMS[algorithm](each) + "-2"
    assert head["ChecksumType"] == "COMPOSITE"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    assert [p[f"Checksum{algorithm}"] for p in attributes["ObjectParts"]["Parts"]] == [
        CHECKSUMS[algorithm](body) for body in PARTS]


def test_the_checksum_of_the_whole(s3, bucket):
    value = CHECKSUMS["CRC32"](b"".join(PARTS))
    done = multipart(s3, bucket, "CRC32", "FULL_OBJECT", {"ChecksumCRC32": value})
    assert done["ChecksumCRC32"] == value
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC32"], head["ChecksumType"]) == (value, "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", CRCS)
def test_the_checksum_of_a_small_whole(s3, bucket, algorithm):
    done = multipart(s3, bucket, algorithm, "FULL_OBJECT", bodies=[b"one part"])
    assert done[f"Checksum{algorithm}"] == CHECKSUMS[algorithm](b"one part")


def test_a_wrong_checksum_of_the_whole(s3, bucket):
    with refused("BadDigest|XAmzContentChecksumMismatch", 400):
        multipart(s3, bucket, "CRC32", "FULL_OBJECT",
                  {"ChecksumCRC32": wrong(CHECKSUMS["CRC32"](b"".join(PARTS)))})
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_a_wrong_checksum_of_a_part(s3, bucket):
    began = s3.create_multipart_upload(Bucket=bucket, Key="k",
                                       ChecksumAlgorithm="SHA256")["UploadId"]
    with refused("BadDigest|XAmzContentChecksumMismatch", 400):
        s3.upload_part(Bucket=bucket, Key="k", UploadId=began, PartNumber=1, Body=b"x",
                       ChecksumSHA256=base64.b64encode(hashlib.sha256(b"y").digest()).decode())
    assert s3.list_parts(Bucket=bucket, Key="k", UploadId=began).get("Parts", []) == []


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_hashes_have_no_form_of_the_whole(s3, bucket, algorithm):
    with refused("InvalidRequest|InvalidArgument", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm,
                                   ChecksumType="FULL_OBJECT")


def test_a_copy_keeps_or_gets_a_checksum(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content", ChecksumAlgorithm="SHA256")
    s3.copy_object(Bucket=bucket, Key="same", CopySource=f"{bucket}/k")
    s3.copy_object(Bucket=bucket, Key="other", CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA1")
    same = s3.head_object(Bucket=bucket, Key="same", ChecksumMode="ENABLED")
    other = s3.head_object(Bucket=bucket, Key="other", ChecksumMode="ENABLED")
    assert same["ChecksumSHA256"] == CHECKSUMS["SHA256"](b"content")
    assert other["ChecksumSHA1"] == CHECKSUMS["SHA1"](b"content")
