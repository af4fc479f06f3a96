"""Bodies that are not what they promise: short, long, slow, cut, oddly framed."""
import socket
import threading

import pytest
from support.s3 import body_of, code_of, exchange
from support.s3_signature import UNSIGNED


def head(endpoint, path, headers, payload=UNSIGNED, method="PUT"):
    """The bytes of a signed request's head."""
    signed = endpoint.signer().headers(method, path, "", {"host": endpoint.netloc, **headers},
                                       payload)
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def gone(s3, bucket, key="k"):
    return code_of(s3.head_object, Bucket=bucket, Key=key) == "404"


def test_a_client_that_leaves_in_the_middle_leaves_nothing(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="kept", Body=b"before")
    for key, size in (("k", 100), ("k", 1 << 20), ("kept", 1 << 20)):
        with endpoint.socket() as sock:
            sock.sendall(head(endpoint, f"/{bucket}/{key}", {"content-length": str(size)}))
            sock.sendall(b"x" * (size // 2))
    assert gone(s3, bucket)
    assert body_of(s3, bucket, "kept") == b"before"


def test_a_body_that_ends_early_is_told(endpoint, s3, bucket):
    with endpoint.socket(10) as sock:
        sock.sendall(head(endpoint, f"/{bucket}/k", {"content-length": "1000"}))
        sock.sendall(b"x" * 10)
        sock.shutdown(socket.SHUT_WR)
        try:
            got = sock.recv(65536)
        except (ConnectionError, TimeoutError):
            got = b""
    assert not got.startswith(b"HTTP/1.1 200"), got
    assert gone(s3, bucket)


def test_what_follows_the_body_is_not_part_of_it(endpoint, s3, bucket):
    with endpoint.socket(3) as sock:
        got = exchange(sock, head(endpoint, f"/{bucket}/k", {"content-length": "4",
                                                             "connection": "close"})
                       + b"bodyGARBAGE THAT IS NO REQUEST\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200"), got
    assert body_of(s3, bucket, "k") == b"body"


def test_two_requests_at_once_on_one_connection(endpoint, s3, bucket):
    one = head(endpoint, f"/{bucket}/one", {"content-length": "3"}) + b"one"
    two = head(endpoint, f"/{bucket}/two", {"content-length": "3", "connection": "close"}) + b"two"
    with endpoint.socket(5) as sock:
        got = exchange(sock, one + two)
    assert got.count(b"HTTP/1.1 200") == 2, got
    assert body_of(s3, bucket, "one") == b"one" and body_of(s3, bucket, "two") == b"two"


def test_leftovers_of_a_refused_upload_are_never_a_request(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="victim", Body=b"kept")
    inner = head(endpoint, f"/{bucket}/victim", {"content-length": "0"}, method="DELETE")
    outer = head(endpoint, "/no-such-bucket-here/k", {"content-length": str(len(inner))})
    with endpoint.socket(1) as sock:
        got = exchange(sock, outer + inner)
    assert got.startswith(b"HTTP/1.1 404"), got
    assert body_of(s3, bucket, "victim") == b"kept"


def test_continue_is_said_after_the_signature_is_known(endpoint, s3, bucket):
    with endpoint.socket(5) as sock:
        sock.sendall(head(endpoint, f"/{bucket}/k", {"content-length": "4",
                                                     "expect": "100-continue"}))
        assert sock.recv(65536).startswith(b"HTTP/1.1 100")
        sock.sendall(b"body")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert body_of(s3, bucket, "k") == b"body"
    forged = head(endpoint, f"/{bucket}/k", {"content-length": "4", "expect": "100-continue"})
    forged = forged.replace(b"Signature=", b"Signature=0")
    with endpoint.socket(5) as sock:
        sock.sendall(forged)
        assert sock.recv(65536).startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))


def test_a_length_is_needed(endpoint, s3, bucket):
    with endpoint.socket(5) as sock:
        got = exchange(sock, head(endpoint, f"/{bucket}/k", {"connection": "close"}))
    # No body at all is an empty one for many; Amazon wants it said.
    assert got.startswith((b"HTTP/1.1 411", b"HTTP/1.1 200")), got
    if got.startswith(b"HTTP/1.1 411"):
        assert b"<Code>MissingContentLength</Code>" in got
        assert gone(s3, bucket)


@pytest.mark.parametrize("extra", [
    {"content-length": "-1"}, {"content-length": "4x"}, {"content-length": "99999999999999999999"},
    {"content-length": "4", "transfer-encoding": "chunked"}])
def test_lengths_that_are_none(endpoint, s3, bucket, extra):
    with endpoint.socket(2) as sock:
        got = exchange(sock, head(endpoint, f"/{bucket}/k", extra) + b"body")
    if "transfer-encoding" in extra and got.startswith(b"HTTP/1.1 200"):
        pytest.fail("took a request with a length and chunks")
    assert got == b"" or got.startswith(b"HTTP/1.1 4"), got
    assert gone(s3, bucket)


def test_a_payload_that_is_not_the_one_signed(endpoint, s3, bucket):
    import hashlib
    signed = hashlib.sha256(b"this").hexdigest()
    answer = endpoint.request("PUT", f"/{bucket}/k", body=b"that", payload=signed)
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert gone(s3, bucket)


def test_a_slow_writer_gets_through_while_others_work(endpoint, s3, bucket):
    body = b"0123456789" * 3
    done = threading.Event()
    answers = []

    def slow():
        with endpoint.socket(30) as sock:
            sock.sendall(head(endpoint, f"/{bucket}/slow", {"content-length": str(len(body))}))
            for byte in body:
                sock.sendall(bytes([byte]))
                done.wait(0.02)
            answers.append(sock.recv(65536))

    writers = [threading.Thread(target=slow) for _ in range(8)]
    for thread in writers:
        thread.start()
    for n in range(20):
        s3.put_object(Bucket=bucket, Key=f"quick-{n}", Body=b"x")
    for thread in writers:
        thread.join()
    assert len(answers) == 8 and all(a.startswith(b"HTTP/1.1 200") for a in answers)
    assert body_of(s3, bucket, "slow") == body


def test_many_readers_that_stop_reading_hold_nobody_up(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="big", Body=b"x" * (8 << 20))
    request = head(endpoint, f"/{bucket}/big", {}, method="GET")
    stuck = [endpoint.socket(10) for _ in range(80)]
    try:
        for sock in stuck:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(request)
        answers = [endpoint.request("HEAD", f"/{bucket}/big").status for _ in range(5)]
        assert answers == [200] * 5
    finally:
        for sock in stuck:
            sock.close()


def test_idle_connections_cost_the_others_nothing(endpoint, s3, bucket):
    idle = [endpoint.socket(10) for _ in range(300)]
    try:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert body_of(s3, bucket, "k") == b"x"
    finally:
        for sock in idle:
            sock.close()
