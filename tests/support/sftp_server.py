"""OpenSSH's server on a free port with a host key, a user's key and a folder of its own."""
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from support.processes import die_with_parent, end, free_ports, wait_until


class SftpServer:
    """.port, .user, .host_key (its fingerprint), .key (the user's private key, as text), .folder
    with the files, .url(path)."""

    def __init__(self, folder):
        self.folder = Path(folder) / "files"
        self.home = Path(folder) / "ssh"
        self.folder.mkdir(parents=True)
        self.home.mkdir(mode=0o700)
        self.port = free_ports(1)[0]
        self.user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home / name],
                           check=True)
        shown = subprocess.run(["ssh-keygen", "-lf", self.home / "host.pub"], check=True,
                               capture_output=True, text=True).stdout
        self.host_key = shown.split()[1]
        self.key = (self.home / "user").read_text()
        shutil.copy(self.home / "user.pub", self.home / "authorized_keys")
        self.process = None

    def configuration(self):
        server = next(path for path in ("/usr/lib/openssh/sftp-server", "/usr/lib/ssh/sftp-server",
                                        "/usr/libexec/openssh/sftp-server") if os.path.exists(path))
        lines = [f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.home}/host",
                 f"AuthorizedKeysFile {self.home}/authorized_keys", f"PidFile {self.home}/pid",
                 "PermitRootLogin prohibit-password", "PasswordAuthentication no", "UsePAM no",
                 "StrictModes no", f"Subsystem sftp {server}"]
        path = self.home / "sshd_config"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self):
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        os.makedirs("/run/sshd", exist_ok=True) if os.geteuid() == 0 else None
        log = open(self.home / "log", "ab")
        self.process = subprocess.Popen([sshd, "-D", "-e", "-f", self.configuration()],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        preexec_fn=die_with_parent)
        wait_until(lambda: "Server listening" in (self.home / "log").read_text(), 20, "sshd ready")
        return self

    def stop(self):
        if self.process:
            end(self.process)

    def url(self, path, port=None):
        return f"sftp://{self.user}@127.0.0.1:{port or self.port}{self.folder}/{path}"


@contextmanager
def sftp_server(folder):
    server = SftpServer(folder).start()
    try:
        yield server
    finally:
        server.stop()
