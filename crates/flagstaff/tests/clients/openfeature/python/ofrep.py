"""PyPI `openfeature-provider-ofrep`, which asks about each flag over HTTP."""

from common import (
    SERVER_KEY,
    URL,
    ask,
    change,
    check_cases,
    check_shares,
    context,
    equal,
    open_client,
    placed,
    shown,
)
from openfeature.contrib.provider.ofrep import OFREPProvider


def provider(key, header="Authorization", scheme="Bearer "):
    return OFREPProvider(URL, headers_factory=lambda: {header: scheme + key})


client, _ = open_client("ofrep", provider(SERVER_KEY))
check_cases(client, "python-ofrep")

colours = placed(client, "colour")
check_shares(colours)
equal(placed(client, "colour"), colours)

banner = lambda: client.get_string_value("banner", "none", context("anna"))
change("banner", "Changed")
equal(banner(), "Changed")

ask("stop")
equal(banner(), "none")
ask("start")
equal(banner(), "Changed")

# Both headers of the protocol take a key.
other, _ = open_client("other", provider(SERVER_KEY, "X-API-Key", ""))
equal(other.get_string_value("banner", "none", context("anna")), "Changed")

wrong, _ = open_client("wrong", provider("ser.wrong"))
equal(
    shown(wrong.get_string_details("banner", "mine", context("anna"))),
    {"value": "mine", "variant": None, "reason": "ERROR", "error": "GENERAL"},
)
