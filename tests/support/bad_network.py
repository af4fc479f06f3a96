"""A TCP proxy that is slow, or cuts connections after so many bytes of answers."""
import socket
import threading
import time
from contextlib import contextmanager

from support.processes import free_ports


class BadNetwork:
    """.port; .cuts: bytes of answers after which the next connections end, first ones first;
    .rate: bytes a second, None = as fast as can be."""

    def __init__(self, port):
        self.target, self.port = port, free_ports(1)[0]
        self.cuts, self.rate, self.connections = [], None, 0
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            cut = self.cuts.pop(0) if self.cuts else None
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.carry, args=(client, server, None, None), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, cut, self.rate),
                             daemon=True).start()

    @staticmethod
    def carry(source, target, cut, rate):
        carried = 0
        try:
            while piece := source.recv(16384):
                if cut is not None and carried + len(piece) >= cut:
                    target.sendall(piece[:cut - carried])
                    break
                target.sendall(piece)
                carried += len(piece)
                if rate:
                    time.sleep(len(piece) / rate)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()


@contextmanager
def bad_network(port):
    network = BadNetwork(port)
    try:
        yield network
    finally:
        network.stop()
