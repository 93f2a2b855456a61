"""PyPI `openfeature-provider-flagd`, which asks about each flag and caches what is the same for everybody."""

from common import SERVER_KEY, check_cases, check_shares, context, equal, open_client, placed, shown
from flagd_client import change_and_wait, check_refused, check_restart, provider
from openfeature.contrib.provider.flagd.config import ResolverType

client, events = open_client("flagd", provider(SERVER_KEY, ResolverType.RPC))
check_cases(client, "python-rpc")

colours = placed(client, "colour")
check_shares(colours)
equal(placed(client, "colour"), colours)

# What is the same for everybody is cached until an event names it.
limit = lambda: shown(client.get_integer_details("internal-limit", -1, context("anna")))
equal(limit(), {"value": 9000, "variant": "control", "reason": "CACHED"})
equal(change_and_wait(events, "internal-limit", 9001), ["internal-limit"])
equal(limit(), {"value": 9001, "variant": "control", "reason": "STATIC"})
equal(limit(), {"value": 9001, "variant": "control", "reason": "CACHED"})

check_restart(client, events)
check_refused(ResolverType.RPC)
