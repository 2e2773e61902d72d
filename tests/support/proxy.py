"""A wire that breaks at the worst moment: the server has done what it was told, and its answer is lost."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

CHUNK = 65_536


class Proxy:
    """Stands before a server. What passes is carried as it is, but for the answers that are to be lost."""

    def __init__(self, connect: Callable[[], socket.socket], words: bytes, after: bytes = b"") -> None:
        """Lose the answer to what contains ``words``, on a connection that has sent ``after`` before."""
        self.words = words
        self.after = after
        self.lost = 0
        self._left = 0
        self._connect = connect
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, times: int) -> None:
        """From now on lose so many answers."""
        self._left = times

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def take_loss(self) -> bool:
        """Whether this answer is to be lost; who asks must lose it."""
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            return True

    def count_loss(self) -> None:
        """Note that an answer was lost after the server had given it."""
        with self._lock:
            self.lost += 1

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                _Wire(self, client, self._connect()).start()


class _Wire:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._ends = client, server
        self._is_ripe = not proxy.after
        self._is_losing = False

    def start(self) -> None:
        """Carry in both directions."""
        for work in (self._carry_to_server, self._carry_to_client):
            threading.Thread(target=self._until_cut, args=(work,), daemon=True).start()

    def _until_cut(self, work: Callable[[], None]) -> None:
        with suppress(OSError):
            work()
        self._cut()

    def _carry_to_server(self) -> None:
        client, server = self._ends
        while data := client.recv(CHUNK):
            self._is_ripe = self._is_ripe or self._proxy.after in data
            if self._is_ripe and self._proxy.words in data and self._proxy.take_loss():
                self._is_losing = True
            server.sendall(data)

    def _carry_to_client(self) -> None:
        client, server = self._ends
        while data := server.recv(CHUNK):
            if self._is_losing:
                self._proxy.count_loss()
                return
            client.sendall(data)

    def _cut(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def stand_before(connect: Callable[[], socket.socket], words: bytes, after: bytes = b"") -> Iterator[Proxy]:
    """Run a proxy for as long as the block."""
    proxy = Proxy(connect, words, after)
    try:
        yield proxy
    finally:
        proxy.close()


def dial_port(port: int) -> socket.socket:
    """Connect to a server of this machine."""
    return socket.create_connection(("127.0.0.1", port))


def dial_socket(path: str) -> socket.socket:
    """Connect to a server's socket file."""
    made = socket.socket(socket.AF_UNIX)
    made.connect(path)
    return made
