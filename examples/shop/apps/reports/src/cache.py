"""As much of redis' protocol as reading one value takes."""

import socket


class Cache:
    def __init__(self, url):
        self.address = (url.hostname, url.port)

    def get(self, key):
        """The text under a key; None where there is none."""
        with socket.create_connection(self.address, timeout=2) as connection:
            connection.sendall(f"GET {key}\r\n".encode())
            with connection.makefile("rb") as answer:
                head = answer.readline().decode().strip()
                if head == "$-1":
                    return None
                if not head.startswith("$"):
                    raise OSError(head)
                return answer.read(int(head[1:])).decode()
