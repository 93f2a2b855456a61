"""PyPI `openfeature-provider-flagd` asking flagd, which has its flags from the server."""

import os

from common import change, context, equal, open_client, shown
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.event import ProviderEvent

provider = FlagdProvider(
    host="127.0.0.1", port=int(os.environ["FLAGD_PORT"]), resolver_type=ResolverType.RPC, deadline_ms=10_000
)
client, events = open_client("flagd", provider)
banner = lambda who: shown(client.get_string_details("banner", "none", context(who)))
equal(banner("anna"), {"value": "Welcome", "variant": "control", "reason": "DEFAULT"})
equal(banner("alice"), {"value": "Hello Alice", "variant": "override_alice", "reason": "TARGETING_MATCH"})

changed = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
events.forget()
change("banner", "Changed")
events.wait(changed, lambda details: "banner" in details.flags_changed)
equal(banner("anna"), {"value": "Changed", "variant": "control", "reason": "DEFAULT"})
