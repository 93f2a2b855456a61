"""PyPI `openfeature-provider-flagd`, which takes the whole document and evaluates for itself."""

from common import SERVER_KEY, check_cases, check_shares, context, equal, open_client, placed
from flagd_client import banner, change_and_wait, check_refused, check_restart, provider
from openfeature.contrib.provider.flagd.config import ResolverType

# The provider connects anew no sooner than this.
OPTIONS = {"stream_deadline_ms": 5_000}

client, events = open_client("flagd", provider(SERVER_KEY, ResolverType.IN_PROCESS, **OPTIONS))
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

change_and_wait(events, "banner", "Changed")
equal(banner(client), "Changed")

# While the server is away nothing changes here.
check_restart(client, events, lambda: equal(banner(client), "Changed"))
check_refused(ResolverType.IN_PROCESS, **OPTIONS)
