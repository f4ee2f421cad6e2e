"""The one socket that all connections come to."""

import socket


class AddressError(OSError):
    """The operator's input or machine: this address cannot be listened at."""


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens at the first address that `host` has. Raises `AddressError`."""
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=backlog)
    except OSError as error:
        why = error.strerror or str(error)
        mend = "Stop what listens there, or choose another --port or --host."
        raise AddressError(f"Cannot listen at {host}:{port}: {why}. {mend}") from error
    listener.setblocking(False)
    return listener
