"""Addresses: a socket that listens, and how others reach it. Werkzeug would end the process when a port is taken."""
import errno
import ipaddress
import socket

from ..errors import ConfigurationError, show


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError: the port is taken, or the address is not this machine's."""
    found, problem, name = None, "host: {} is no address of this machine; give 127.0.0.1".format(show(host)), "host"
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise ConfigurationError("port: a number from 0 to 65535; 0 takes a free one", parameter="port")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
        found = socket.socket(family, kind)
        if hasattr(socket, "AF_UNIX"):      # on Windows it would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
        return found
    except PermissionError:
        problem, name = "port: this user may not open {}; give one over 1023".format(port), "port"
    except OSError as err:
        if err.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
            name = "port"
            problem = "port: {} is taken by another program; give another, or 0 for a free one".format(port)
    if found is not None:
        found.close()
    raise ConfigurationError(problem, parameter=name)


def reachable(host: str) -> str:
    """The address to write into URLs: of "every address", the one that other machines see."""
    try:
        unspecified = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host
    if not unspecified:
        return host
    version_6 = ":" in host
    with socket.socket(socket.AF_INET6 if version_6 else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:        # nothing is sent; the system says which of its addresses it would send from
            asking.connect(("2001:db8::1", 9) if version_6 else ("192.0.2.1", 9))
            return asking.getsockname()[0]
        except OSError:
            return "::1" if version_6 else "127.0.0.1"
