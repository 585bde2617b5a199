"""Attacks on the media fetcher, with real servers and files. Loopback stands for everything inside the firewall."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ml_backend.data.addresses import is_allowed
from ml_backend.data.media import MediaFetcher
from ml_backend.errors import MediaError
from tests.data.conftest import Serve, hello, reply

RESOLVE = socket.getaddrinfo


open_fetcher = partial(MediaFetcher, allow_private=True, timeout_seconds=5)
"""May reach loopback, as the test servers are there."""


# Addresses


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(address, allow_private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::1",
        "192.0.2.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "198.18.0.1",
    ],
)
def test_private_addresses_are_refused_in_every_wrapping(address: str) -> None:
    assert not is_allowed(address, allow_private=False)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "255.255.255.255",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_cloud_metadata_multicast_and_nothing_are_refused_even_with_allow_private(address: str) -> None:
    assert not is_allowed(address, allow_private=True)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "127.0.0.1.",
    ],
)
def test_no_spelling_of_loopback_gets_a_byte(serve: Serve, host: str) -> None:
    server = serve(hello)
    with pytest.raises(MediaError):
        MediaFetcher(timeout_seconds=5)(f"http://{host}:{server.port}/secret")
    assert server.requests == []


def test_the_reason_names_the_host_and_the_address(serve: Serve) -> None:
    server = serve(hello)
    with pytest.raises(MediaError, match=r"'localhost' is at .*not a public address"):
        MediaFetcher(timeout_seconds=5)(f"http://localhost:{server.port}/")


def resolving(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """Makes the name evil.test resolve to one list of addresses after the other; the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[object]:
        if host != "evil.test":
            return list(RESOLVE(host, port, family, type, proto, flags))
        asked.append(host)
        current = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in current for entry in RESOLVE(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_is_private_inside_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(hello)
    resolving(monkeypatch, [["127.0.0.1"]])
    with pytest.raises(MediaError, match="not a public address"):
        MediaFetcher(timeout_seconds=5)(f"http://evil.test:{server.port}/")
    assert server.requests == []


def test_one_private_answer_among_public_ones_is_enough_to_refuse(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(hello)
    resolving(monkeypatch, [["192.0.43.7", "127.0.0.1"]])
    with pytest.raises(MediaError, match="not a public address"):
        MediaFetcher(timeout_seconds=5)(f"http://evil.test:{server.port}/")
    assert server.requests == []


def test_rebinding_gains_nothing_because_the_name_is_resolved_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(hello)
    asked = resolving(monkeypatch, [["192.0.43.7"], ["127.0.0.1"]])
    connected: list[str] = []

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(MediaError):
        MediaFetcher(timeout_seconds=5)(f"http://evil.test:{server.port}/")
    assert asked == ["evil.test"]
    assert connected == ["192.0.43.7"], "the judged address itself is connected to"
    assert server.requests == []


# Redirects


def test_a_redirect_from_a_trusted_server_to_a_private_one_is_refused(serve: Serve) -> None:
    inside = serve(hello)
    label_studio = serve(lambda h, _: reply(h, b"", 302, Location=f"http://127.0.0.1:{inside.port}/secret"))
    with pytest.raises(MediaError, match="not a public address"):
        MediaFetcher(label_studio.url, timeout_seconds=5)("/data/upload/1/a.png")
    assert inside.requests == []


def test_a_redirect_to_a_file_is_refused(serve: Serve) -> None:
    server = serve(lambda h, _: reply(h, b"", 302, Location="file:///etc/passwd"))
    with pytest.raises(MediaError, match="something else than http"):
        open_fetcher()(f"{server.url}/a")


def test_redirects_end(serve: Serve) -> None:
    server = serve(lambda h, _: reply(h, b"", 302, Location="/again"))
    with pytest.raises(MediaError, match="redirects more than 5 times"):
        open_fetcher()(f"{server.url}/a")
    assert len(server.requests) == 6


def test_a_harmless_redirect_is_followed(serve: Serve) -> None:
    server = serve(lambda h, _: reply(h, b"", 302, Location="b") if h.path == "/x/a" else reply(h, h.path.encode()))
    assert open_fetcher()(f"{server.url}/x/a") == b"/x/b"


@pytest.mark.parametrize("mark", ["\\", "/\\", "\\\\", "#", "?", "%5C", "\\#"])
def test_no_address_is_taken_for_label_studio_and_leads_elsewhere(serve: Serve, mark: str) -> None:
    inside, label_studio = serve(hello), serve(hello)
    fetch = MediaFetcher(f"http://localhost:{label_studio.port}", timeout_seconds=5)
    with pytest.raises(MediaError):
        fetch(f"http://127.0.0.1:{inside.port}{mark}@localhost:{label_studio.port}/b.png")
    assert inside.requests == []


# Credentials


@pytest.mark.parametrize("address", ["http://user:pass@127.0.0.1:{port}/", "http://8.8.8.8@127.0.0.1:{port}/"])
def test_names_and_passwords_in_addresses_are_refused(serve: Serve, address: str) -> None:
    server = serve(hello)
    with pytest.raises(MediaError, match="user name or password"):
        open_fetcher()(address.format(port=server.port))
    assert server.requests == []


def test_proxies_and_netrc_of_the_environment_are_not_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy, server = serve(hello), serve(hello)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    for name, value in {
        "http_proxy": proxy.url,
        "HTTP_PROXY": proxy.url,
        "no_proxy": "",
        "NETRC": str(tmp_path / "netrc"),
    }.items():
        monkeypatch.setenv(name, value)
    open_fetcher()(f"{server.url}/a")
    assert proxy.requests == []
    assert "Authorization" not in server.requests[0][1]


# Sizes and times


def test_content_up_to_the_cap_is_kept_and_more_is_not(serve: Serve) -> None:
    server = serve(lambda h, _: reply(h, b"x" * int(h.path[1:])))
    fetcher = open_fetcher(max_bytes=1000)
    assert len(fetcher(f"{server.url}/1000")) == 1000
    with pytest.raises(MediaError, match="larger than 1,000 bytes"):
        fetcher(f"{server.url}/1001")


def test_a_stream_without_a_length_is_cut_at_the_cap(serve: Serve) -> None:
    sent: list[int] = []

    def endless(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            sent.append(handler.wfile.write(b"x" * 10_000))

    with pytest.raises(MediaError, match="larger than"):
        open_fetcher(max_bytes=50_000)(f"{serve(endless).url}/a")


def test_a_gzip_bomb_counts_by_its_real_size(serve: Serve) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    server = serve(lambda h, _: reply(h, bomb, Content_Encoding="gzip"))
    with pytest.raises(MediaError, match="larger than"):
        open_fetcher(max_bytes=100_000)(f"{server.url}/a")


@pytest.mark.parametrize("length", ["100", "-1", "many", "99999999999999999999"])
def test_a_lying_length_gives_an_error_and_no_half_content(serve: Serve, length: str) -> None:
    server = serve(lambda h, _: reply(h, b"short", Content_Length=length))
    with pytest.raises(MediaError):
        open_fetcher()(f"{server.url}/a")


def drip(handler: BaseHTTPRequestHandler, first: bytes, hung_up: threading.Event) -> None:
    """Sends a byte now and then, long past the cap, until the client hangs up."""
    stop = time.monotonic() + 20
    handler.wfile.write(first)
    while time.monotonic() < stop:
        try:
            handler.wfile.write(b"x")
        except OSError:
            hung_up.set()
            return
        threading.Event().wait(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""]
)
def test_a_byte_now_and_then_is_cut_off_in_the_body_the_headers_and_before(serve: Serve, first: bytes) -> None:
    hung_up = threading.Event()
    server = serve(lambda handler, _: drip(handler, first, hung_up))
    with pytest.raises(MediaError, match=r"did not deliver within 0\.4 seconds"):
        MediaFetcher(allow_private=True, timeout_seconds=0.4)(f"{server.url}/a")
    assert hung_up.wait(10), "the connection was left open"


@pytest.mark.parametrize("status", [404, 403, 500, 503, 429])
def test_error_replies_are_no_content(serve: Serve, status: int) -> None:
    server = serve(lambda h, _: reply(h, b"<html>error page", status))
    with pytest.raises(MediaError, match=f"HTTP {status}"):
        open_fetcher()(f"{server.url}/a")


def test_nobody_listening_is_no_content() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(MediaError, match="cannot be reached"):
            open_fetcher()(f"http://127.0.0.1:{unused.getsockname()[1]}/")


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_no_connection_and_no_watchdog_is_left_behind(serve: Serve) -> None:
    server = serve(hello)
    fetcher = open_fetcher()
    fetcher(f"{server.url}/warm")
    before = _open_files()
    for _ in range(20):
        fetcher(f"{server.url}/a")
    after = _open_files()
    assert after - before < 10
    assert sum(isinstance(thread, threading.Timer) for thread in threading.enumerate()) < 5
