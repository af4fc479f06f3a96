"""The connector source-sftp-bulk against a real OpenSSH server."""
import getpass
import os
import shutil
import subprocess

import pytest

from support.processes import die_with_parent, free_ports, wait_until

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@pytest.fixture
def sftp(folder):
    """(port, private key) of a server that lets us in with that key."""
    if not os.path.exists(SSHD):
        pytest.skip("there is no OpenSSH server")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", folder / name],
                       check=True)
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    [port] = free_ports(1)
    config = folder / "sshd_config"
    config.write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
                      f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
                      "PermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n"
                      "PubkeyAcceptedAlgorithms +ssh-rsa\nSubsystem sftp internal-sftp\n")
    log = open(folder / "sshd.log", "wb")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log,
                              preexec_fn=die_with_parent)
    wait_until(lambda: b"listening" in (folder / "sshd.log").read_bytes(), 10, "sshd listens")
    yield port, (folder / "user").read_text()
    server.terminate()
    server.wait(10)


@pytest.mark.full
def test_new_files_of_an_sftp_server(airbyte, folder, sftp):
    airbyte.need("source-sftp-bulk-1.9.3")
    port, key = sftp
    files = folder / "outbox"
    files.mkdir()
    (files / "a.csv").write_text("id,name\n1,ana\n2,bo\n")
    airbyte.source("drop", connector="source-sftp-bulk", version="1.9.3", config={
        "host": "127.0.0.1", "port": port, "username": getpass.getuser(), "folder_path": str(files),
        "credentials": {"auth_type": "private_key", "private_key": key},
        "streams": [{"name": "people", "globs": ["**/*.csv"], "validation_policy": "Emit Record",
                     "format": {"filetype": "csv"}}]},
        tables={"people": {"mode": "incremental"}}, memory="4GB")
    airbyte.meesh.start()
    assert ": 2 rows" in airbyte.ingest("run", "drop")
    # The next run takes the new file alone.
    (files / "b.csv").write_text("id,name\n3,cy\n")
    assert ": 1 rows" in airbyte.ingest("run", "drop")
    rows = airbyte.query("SELECT CAST(id AS integer), name, _ab_source_file_url "
                         "FROM lake.bronze.people ORDER BY 1")
    assert [row[:2] for row in rows] == [[1, "ana"], [2, "bo"], [3, "cy"]]
    assert rows[2][2].endswith("b.csv")
    assert "PRIVATE KEY" not in airbyte.meesh.log_text()
