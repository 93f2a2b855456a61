"""PyPI `openfeature-provider-flagd`, which asks about each flag and caches what is the same for everybody."""

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


def provider(key, **options):
    # No provider of flagd sends a key; this one sends its selector with every call.
    return FlagdProvider(
        host=HOST,
        port=int(PORT),
        resolver_type=ResolverType.RPC,
        selector=key,
        deadline_ms=10_000,
        retry_backoff_ms=100,
        retry_backoff_max_ms=500,
        fatal_status_codes=["PERMISSION_DENIED"],
        **options,
    )


client, events = open_client("flagd", provider(SERVER_KEY))
check_cases(client, "python-rpc")

colours = placed(client, "colour")
check_shares(colours)
equal(placed(client, "colour"), colours)

# What is the same for everybody is cached until an event names it.
limit = lambda: shown(client.get_integer_details("internal-limit", -1, context("anna")))
equal(limit(), {"value": 9000, "variant": "control", "reason": "CACHED"})
events.forget()
change("internal-limit", 9001)
changed = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
events.wait(changed, lambda details: details.flags_changed == ["internal-limit"])
equal(limit(), {"value": 9001, "variant": "control", "reason": "STATIC"})
equal(limit(), {"value": 9001, "variant": "control", "reason": "CACHED"})

# The server goes away and comes back.
events.forget()
ask("stop")
events.wait(ProviderEvent.PROVIDER_STALE)
events.forget()
ask("start")
events.wait(ProviderEvent.PROVIDER_READY)
change("banner", "Back again")
banner = lambda: client.get_string_value("banner", "none", context("anna"))
wait_until(lambda: banner() == "Back again", "the value after the restart")

wrong, _ = open_client("wrong", provider("ser.wrong"))
equal(
    shown(wrong.get_string_details("banner", "mine", context("anna"))),
    {"value": "mine", "variant": None, "reason": "ERROR", "error": "PROVIDER_FATAL"},
)
