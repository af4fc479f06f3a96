"""A network between meesh and a server that can be cut, slowed down and led to another server."""
import socket
import threading
import time


def shut(*ends):
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class TcpProxy:
    def __init__(self, port, to):
        self.port, self.to = port, to  # of 127.0.0.1
        self.bytes_a_second = 0  # 0: as fast as it goes
        self.cut = False
        self._pairs = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.cut:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.to), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source, sink):
        try:
            while data := source.recv(65536 if not self.bytes_a_second else 4096):
                sink.sendall(data)
                if self.bytes_a_second:
                    time.sleep(len(data) / self.bytes_a_second)
        except OSError:
            pass
        shut(source, sink)

    def break_connections(self):
        for pair in self._pairs:
            shut(*pair)  # close() alone tells nobody as long as a thread waits in recv()
        self._pairs.clear()

    def close(self):
        self._listener.close()
        self.break_connections()
