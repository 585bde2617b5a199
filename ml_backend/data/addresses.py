"""Which network addresses may be connected to, decided on the IP that is really used.

Threat (server-side request forgery): an annotator or importer writes an address into a task, and this machine fetches
it from inside the firewall. A name is resolved once, every answer is judged, and the connection goes to the judged IP
itself, so a name that resolves differently the second time (rebinding) gains nothing. Numbers in odd spellings
(2130706433, 0x7f.1) are judged after resolution too, and addresses that wrap an IPv4 address are unwrapped first.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenAddress(NewConnectionError):
    """The host is, or resolves to, an address that must not be connected to."""


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Whether an IP may be connected to. Link-local (cloud metadata), multicast and unspecified never; private with
    allow_private.
    """
    ip = _unwrap(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local:
        return allow_private
    return ip.is_global or allow_private


def _unwrap(ip: Address) -> Address:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


class GuardedAdapter(HTTPAdapter):
    """Transport of a requests session whose every connection goes to an allowed IP. Fails closed.

    on_connect is given each socket as soon as it is connected, before any byte is sent.
    """

    def __init__(self, *, allow_private: bool, on_connect: Callable[[socket.socket], None]) -> None:
        self._allow_private = allow_private
        self._on_connect = on_connect
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes the pools use connections that judge the IP."""
        super().init_poolmanager(*args, **kwargs)
        manager: urllib3.PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {
            "http": self._pool_class(HTTPConnectionPool, HTTPConnection),
            "https": self._pool_class(HTTPSConnectionPool, HTTPSConnection),
        }

    def _pool_class(self, pool: type[HTTPConnectionPool], connection: type[HTTPConnection]) -> type[HTTPConnectionPool]:
        allow_private, on_connect = self._allow_private, self._on_connect

        def new_conn(self: HTTPConnection) -> socket.socket:
            timeout = self.timeout if isinstance(self.timeout, int | float) else None
            connected = _connect(self, self._dns_host, self.port, timeout, allow_private)
            on_connect(connected)
            return connected

        guarded = type(f"Guarded{connection.__name__}", (connection,), {"_new_conn": new_conn})
        return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": guarded})


def _connect(
    connection: HTTPConnection, host: str, port: int, timeout: float | None, allow_private: bool
) -> socket.socket:
    try:
        answers = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, f"the host {host!r} is unknown") from error
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for address in addresses:
        if not is_allowed(address, allow_private=allow_private):
            raise ForbiddenAddress(connection, f"the host {host!r} is at {address}, which is not a public address")
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            failure = error
    raise NewConnectionError(connection, f"the host {host!r} does not answer") from failure
