"""Alerts: by webhook, and by mail with what mail servers ask for."""
import ssl
import subprocess

import pytest
import requests
from aiosmtpd.smtp import AuthResult

from support.inbox import Inbox
from support.meesh import binary, plain_mesh
from support.pipelines import run, write
from support.webhook import webhook
from support.processes import wait_until

FAILS = """
name: p
alerts: { on: [failure], email: [ops@example.com] }
assets:
  bad: { statement: SELECT 1 / 0 }
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", 2, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
            "-out", folder / f"{name}.pem")
    return folder / f"{name}.pem"


@pytest.fixture(scope="module")
def certificates(work_folder):
    """(the mail server's SSL context, the PEM file of who vouches for it, one of somebody else)"""
    folder = work_folder / "mail-certificates"
    folder.mkdir(exist_ok=True)
    own, other = authority(folder, "own"), authority(folder, "other")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=mail", "-keyout", folder / "mail.key", "-out", folder / "mail.csr")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", folder / "mail.csr", "-CA", own, "-CAkey", folder / "own.key",
            "-CAcreateserial", "-days", 2, "-extfile", folder / "names",
            "-out", folder / "mail.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    return context, own, other


def check_login(server, session, envelope, mechanism, data):
    good = data.login == b"mesh" and data.password == b"p4ss word"
    return AuthResult(success=good, handled=good, auth_data="mesh" if good else None)


def alerts(meesh):
    return requests.get(f"{meesh.url}/api/v1/alerts").json()["alerts"]


def mesh_with(folder, inbox, **smtp):
    mesh = plain_mesh(folder / "mesh", smtp={"host": "127.0.0.1", "port": inbox.port,
                                             "from": "mesh@example.com", **smtp})
    write(mesh, p=FAILS)
    return mesh


def test_alerts_arrive_by_webhook_and_mail(folder, start_meesh):
    with Inbox() as inbox, webhook() as hook:
        hook.status = 503  # at first: what cannot be sent is sent again
        mesh = mesh_with(folder, inbox, tls="none")
        write(mesh, p=f"""
name: p
alerts: {{ on: [failure, recovery], webhook: "{hook.url}", email: [ops@example.com] }}
assets:
  bad: {{ statement: SELECT 1 / 0 }}
""")
        meesh = start_meesh(mesh, folder / "data")
        assert run(meesh, "run", "p").returncode == 1
        wait_until(lambda: inbox.mails, 30, "the mail")
        assert {alert["channel"] for alert in alerts(meesh)} == {"webhook", "email:ops@example.com"}
        hook.status = 200
        wait_until(lambda: hook.bodies, 60, "the webhook's second attempt")
        assert hook.bodies[0]["event"] == "failure"
        assert hook.bodies[0]["failed_steps"][0]["step"] == "bad"
        assert "Division by zero" in hook.bodies[0]["text"]
        assert inbox.mails[0][0] == ["ops@example.com"] and "Subject:" in inbox.mails[0][1]

        write(mesh, p=(mesh / "pipelines" / "p.yaml").read_text().replace("1 / 0", "1"))
        assert run(meesh, "run", "p").returncode == 0
        wait_until(lambda: len(hook.bodies) == 2, 30, "the recovery")
        assert hook.bodies[1]["event"] == "recovery"
        assert run(meesh, "run", "p").returncode == 0
        assert len(alerts(meesh)) == 4  # none for the third run


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_is_private_and_logged_in(folder, start_meesh, certificates, tls):
    context, ca, _ = certificates
    options = {"tls_context": context, "require_starttls": True} if tls == "starttls" else \
        {"ssl_context": context, "auth_require_tls": False}
    with Inbox(authenticator=check_login, auth_required=True, **options) as inbox:
        mesh = mesh_with(folder, inbox, tls=tls, ca=str(ca), user="mesh",
                         password="${SMTP_PASSWORD}")
        meesh = start_meesh(mesh, folder / "data", environment={"SMTP_PASSWORD": "p4ss word"})
        assert run(meesh, "run", "p").returncode == 1
        wait_until(lambda: inbox.mails, 30, "the mail")
        recipients, text, private, user = inbox.mails[0]
        assert recipients == ["ops@example.com"] and private and user == "mesh"
        assert "From: mesh@example.com" in text


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(folder, start_meesh, certificates):
    context, _, other = certificates
    with Inbox(tls_context=context, require_starttls=True) as inbox:
        meesh = start_meesh(mesh_with(folder, inbox, tls="starttls", ca=str(other)),
                            folder / "data")
        assert run(meesh, "run", "p").returncode == 1
        told = wait_until(lambda: [a for a in alerts(meesh) if a.get("error")], 30, "the refusal")
        assert "certificate" in told[0]["error"] and not inbox.mails


def test_a_mail_server_without_tls_gets_no_password(folder, start_meesh):
    with Inbox(authenticator=check_login, auth_require_tls=False) as inbox:
        meesh = start_meesh(mesh_with(folder, inbox, user="mesh", password="p4ss word"),
                            folder / "data")
        assert run(meesh, "run", "p").returncode == 1
        told = wait_until(lambda: [a for a in alerts(meesh) if a.get("error")], 30, "the refusal")
        assert "not taken by 127.0.0.1" in told[0]["error"] and not inbox.mails


def test_a_wrong_password_is_told(folder, start_meesh, certificates):
    context, ca, _ = certificates
    with Inbox(tls_context=context, require_starttls=True, authenticator=check_login,
               auth_required=True) as inbox:
        meesh = start_meesh(mesh_with(folder, inbox, ca=str(ca), user="mesh", password="wrong"),
                            folder / "data")
        assert run(meesh, "run", "p").returncode == 1
        told = wait_until(lambda: [a for a in alerts(meesh) if a.get("error")], 30, "the refusal")
        assert "not taken" in told[0]["error"] and "wrong" not in told[0]["error"]
        assert not inbox.mails


def test_mistakes_of_the_mail_server_are_told_at_the_start(folder):
    for smtp, words in [({"ca": "missing.pem"}, "there is no file 'missing.pem'"),
                        ({"ca": "meesh.yaml", "tls": "none"}, "'ca' is for TLS, and tls is none")]:
        mesh = plain_mesh(folder / "mesh", smtp={"host": "127.0.0.1", "from": "a@example.com",
                                                 **smtp})
        told = subprocess.run([str(binary()), "serve", "--mesh", str(mesh), "--port", "0"],
                              text=True, capture_output=True, timeout=60)
        assert told.returncode != 0
        assert words in told.stdout + told.stderr and "meesh.yaml:" in told.stdout + told.stderr
