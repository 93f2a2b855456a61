"""PyPI `openfeature-provider-flagd`, which takes the whole document and evaluates for itself."""

from common import (
    HOST,
    PORT,
    SERVER_KEY,
    ask,
    change,
    check_cases,
    check_shares,
    context,
    equal,
    open_client,
    placed,
    shown,
    wait_until,
)
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.event import ProviderEvent


def provider(key, resolver=ResolverType.IN_PROCESS):
    return FlagdProvider(
        host=HOST,
        port=int(PORT),
        resolver_type=resolver,
        selector=key,
        deadline_ms=10_000,
        retry_backoff_ms=100,
        retry_backoff_max_ms=500,
        # The provider connects anew no sooner than this.
        stream_deadline_ms=5_000,
        fatal_status_codes=["PERMISSION_DENIED"],
    )


client, events = open_client("flagd", provider(SERVER_KEY))
check_cases(client, "python-in-process")

# With the hash of this generation the server puts everybody where this program puts them.
asking, _ = open_client("rpc", provider(SERVER_KEY, ResolverType.RPC))
colours = placed(client, "colour")
check_shares(colours)
equal(placed(asking, "colour"), colours)
for flag in ("op-third", "op-equal"):
    equal(placed(asking, flag), placed(client, flag))

# What the server adds to every context counts as if the caller had sent it.
equal(client.get_string_value("op-by-region", "none", context("anna")), "yes")

events.forget()
change("banner", "Changed")
changed = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
events.wait(changed, lambda details: "banner" in details.flags_changed)
banner = lambda: client.get_string_value("banner", "none", context("anna"))
equal(banner(), "Changed")

# The server goes away, which changes nothing here, and comes back.
events.forget()
ask("stop")
events.wait(ProviderEvent.PROVIDER_STALE)
equal(banner(), "Changed")
events.forget()
ask("start")
events.wait(ProviderEvent.PROVIDER_READY)
change("banner", "Back again")
wait_until(lambda: banner() == "Back again", "the value after the restart")

wrong, _ = open_client("wrong", provider("ser.wrong"))
equal(
    shown(wrong.get_string_details("banner", "mine", context("anna"))),
    {"value": "mine", "variant": None, "reason": "ERROR", "error": "PROVIDER_FATAL"},
)
