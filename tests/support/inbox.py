"""A mail server that keeps what it is sent."""
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

from support.processes import free_ports


class Inbox:
    """.mails: (recipients, text, whether the connection was private, user). `options` as aiosmtpd's
    Controller has them."""

    def __init__(self, **options):
        self.mails, self.port = [], free_ports(1)[0]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    async def handle_DATA(self, server, session, envelope):
        private = session.ssl is not None or server.transport.get_extra_info("sslcontext")
        self.mails.append((envelope.rcpt_tos, envelope.content.decode(), bool(private),
                           session.auth_data))
        return "250 OK"

    def to(self, address):
        """Those that this person was sent, taken apart."""
        return [message_from_bytes(text.encode(), policy=policy.default)
                for receivers, text, *_ in list(self.mails) if address in receivers]

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()
