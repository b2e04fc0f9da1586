"""Addresses of chat servers: what a user gives, the paths behind it, and the proxy on the way."""

import ipaddress
from urllib.request import getproxies, proxy_bypass

from yarl import URL

CHAT = "/chat/completions"


def api_url(given: str, path: str) -> str:
    """The address of a path of an OpenAI-compatible API.

    A path and a query in the given address stay as they are. An address without a path gets "/v1".

    Args:
        given: "http://127.0.0.1:8000", "https://HOST/v1beta/openai/",
            "https://HOST/openai/deployments/NAME?api-version=2024-10-21", also with
            "/chat/completions" at its end.
        path: "/chat/completions" or "/models".

    >>> api_url("https://example.com/api/paas/v4/?a=1", "/models")
    'https://example.com/api/paas/v4/models?a=1'
    """
    url = URL(given)
    base = url.path.rstrip("/").removesuffix(CHAT).rstrip("/")
    return str(url.with_path((base or "/v1") + path).with_query(url.query))


def server_url(given: str) -> str:
    """The address of the server itself: the given one without "/v1" and "/" at its end."""
    return given.rstrip("/").removesuffix("/v1")


def proxy_of(given: str) -> str | None:
    """The proxy that the environment names for an address (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).

    None if it names none, and for this machine itself.
    """
    url = URL(given)
    host = url.host or ""
    if _is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
