"""What the scripts of PyPI `openfeature-provider-flagd` have in common, whichever way it evaluates."""

from common import HOST, PORT, ask, change, context, equal, open_client, shown, wait_until
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.event import ProviderEvent


def provider(key, resolver, **options):
    # No provider of flagd sends a key; this one sends its selector with every call.
    return FlagdProvider(
        host=HOST,
        port=int(PORT),
        resolver_type=resolver,
        selector=key,
        deadline_ms=10_000,
        retry_backoff_ms=100,
        retry_backoff_max_ms=500,
        fatal_status_codes=["PERMISSION_DENIED"],
        **options,
    )


def banner(client):
    return client.get_string_value("banner", "none", context("anna"))


def change_and_wait(events, feature, value):
    """Has a feature changed, and waits for the event that names it; gives all the flags that it names."""
    events.forget()
    change(feature, value)
    named = []

    def names(details):
        named[:] = details.flags_changed
        return feature in named

    events.wait(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, names)
    return named


def check_restart(client, events, meanwhile=lambda: None):
    """The server goes away and comes back."""
    events.forget()
    ask("stop")
    events.wait(ProviderEvent.PROVIDER_STALE)
    meanwhile()
    events.forget()
    ask("start")
    events.wait(ProviderEvent.PROVIDER_READY)
    change("banner", "Back again")
    wait_until(lambda: banner(client) == "Back again", "the value after the restart")


def check_refused(resolver, **options):
    """A wrong key is the end."""
    wrong, _ = open_client("wrong", provider("ser.wrong", resolver, **options))
    equal(
        shown(wrong.get_string_details("banner", "mine", context("anna"))),
        {"value": "mine", "variant": None, "reason": "ERROR", "error": "PROVIDER_FATAL"},
    )
