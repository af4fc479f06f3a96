"""AWS Signature Version 4 for S3, written apart from botocore so that each ingredient can be bent.

Source: "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference.
"""
import base64
import binascii
import datetime
import hashlib
import hmac
import json
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_STREAM_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_STREAM_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def stamp(when):
    return when.strftime("%Y%m%dT%H%M%SZ")


def encode_path(path):
    """The path of a URL for this key path, as S3 canonicalizes it."""
    return quote(path, safe="/-._~")


def encode_query(query):
    return "&".join(f"{quote(k, safe='-._~')}={quote(v, safe='-._~')}"
                    for k, v in sorted(query.items()))


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signs as one key at one time. `secret`, `region`, `service`, `when` may be wrong on purpose."""

    def __init__(self, access_key, secret_key, session_token=None, region="us-east-1", service="s3",
                 when=None):
        self.access_key, self.secret_key, self.session_token = access_key, secret_key, session_token
        self.region, self.service = region, service
        self.when = when or now()

    @property
    def scope(self):
        return f"{self.when:%Y%m%d}/{self.region}/{self.service}/aws4_request"

    def key(self):
        key = ("AWS4" + self.secret_key).encode()
        for word in self.scope.split("/"):
            key = hmac_sha256(key, word)
        return key

    def sign(self, text):
        return hmac.new(self.key(), text.encode(), hashlib.sha256).hexdigest()

    def string_to_sign(self, canonical):
        return "\n".join([ALGORITHM, stamp(self.when), self.scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])

    @staticmethod
    def canonical(method, path, query, headers, signed, payload):
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
        return "\n".join([method, path, query, lines, ";".join(signed), payload])

    def headers(self, method, path, query, headers, payload):
        """Headers to send, Authorization among them. `path` and `query` are encoded; `headers` have
        lower-case names and hold the host."""
        headers = {**headers, "x-amz-date": stamp(self.when), "x-amz-content-sha256": payload}
        if self.session_token:
            headers["x-amz-security-token"] = self.session_token
        signed = sorted(n for n in headers if n not in ("content-length", "expect", "user-agent",
                                                        "connection", "transfer-encoding"))
        canonical = self.canonical(method, path, query, headers, signed, payload)
        headers["authorization"] = (
            f"{ALGORITHM} Credential={self.access_key}/{self.scope}, "
            f"SignedHeaders={';'.join(signed)}, "
            f"Signature={self.sign(self.string_to_sign(canonical))}")
        return headers

    def presign(self, method, host, path, query=None, seconds=300, headers=None):
        """The query of a presigned request."""
        headers = {"host": host, **(headers or {})}
        signed = sorted(headers)
        query = {**(query or {}), "X-Amz-Algorithm": ALGORITHM,
                 "X-Amz-Credential": f"{self.access_key}/{self.scope}",
                 "X-Amz-Date": stamp(self.when), "X-Amz-Expires": str(seconds),
                 "X-Amz-SignedHeaders": ";".join(signed)}
        if self.session_token:
            query["X-Amz-Security-Token"] = self.session_token
        canonical = self.canonical(method, path, encode_query(query), headers, signed, UNSIGNED)
        return {**query, "X-Amz-Signature": self.sign(self.string_to_sign(canonical))}

    def post_form(self, bucket, key, conditions=(), fields=None, seconds=300):
        """The fields of a browser's upload form, without the file."""
        fields = {"key": key, **(fields or {}), "x-amz-algorithm": ALGORITHM,
                  "x-amz-credential": f"{self.access_key}/{self.scope}",
                  "x-amz-date": stamp(self.when)}
        if self.session_token:
            fields["x-amz-security-token"] = self.session_token
        policy = {"expiration": (self.when + datetime.timedelta(seconds=seconds)).strftime(
                      "%Y-%m-%dT%H:%M:%S.000Z"),
                  "conditions": [{"bucket": bucket}, *conditions,
                                 *({k: v} for k, v in fields.items() if k.startswith("x-amz-"))]}
        document = base64.b64encode(json.dumps(policy).encode()).decode()
        return {**fields, "policy": document, "x-amz-signature": self.sign(document)}


class Chunks:
    """A body in aws-chunked framing; `seed` is the signature of the request's head."""

    def __init__(self, signer, seed):
        self.signer, self.previous, self.key = signer, seed, signer.key()

    def next_signature(self, *words):
        text = "\n".join([words[0], stamp(self.signer.when), self.signer.scope, self.previous,
                          *words[1:]])
        self.previous = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return self.previous

    def chunk(self, data):
        signature = self.next_signature(ALGORITHM + "-PAYLOAD", EMPTY,
                                        hashlib.sha256(data).hexdigest())
        return b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), signature.encode(), data)

    def last(self):
        signature = self.next_signature(ALGORITHM + "-PAYLOAD", EMPTY, EMPTY)
        return b"0;chunk-signature=%s\r\n" % signature.encode()

    def trailer(self, name, value):
        line = f"{name}:{value}\n"
        signature = self.next_signature(ALGORITHM + "-TRAILER",
                                        hashlib.sha256(line.encode()).hexdigest())
        return f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def unsigned_chunks(data, size=8192):
    """aws-chunked without signatures, without the trailer and the end."""
    for start in range(0, len(data), size):
        piece = data[start:start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n"


def crc32(data):
    return base64.b64encode(binascii.crc32(data).to_bytes(4, "big")).decode()


def _table(polynomial, bits):
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table, (1 << bits) - 1


_CRC32C = _table(0x82F63B78, 32)
_CRC64NVME = _table(0x9A6C9329AC4BC9B5, 64)


def _crc(data, tables, size):
    table, ones = tables
    value = ones
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return base64.b64encode((value ^ ones).to_bytes(size, "big")).decode()


CHECKSUMS = {
    "CRC32": crc32,
    "CRC32C": lambda data: _crc(data, _CRC32C, 4),
    "CRC64NVME": lambda data: _crc(data, _CRC64NVME, 8),
    "SHA1": lambda data: base64.b64encode(hashlib.sha1(data).digest()).decode(),
    "SHA256": lambda data: base64.b64encode(hashlib.sha256(data).digest()).decode(),
}
