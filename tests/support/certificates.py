"""Certificates for tests."""
import subprocess


def certificate(folder):
    """Of localhost, by itself: its file and its key's."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                    "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"],
                   check=True, cwd=folder, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"
