"""PyPI `openfeature-provider-flagsmith`: OpenFeature over Flagsmith's own SDK, remotely and evaluating for itself."""

from common import (
    CLIENT_KEY,
    SERVER_KEY,
    URL,
    ask,
    change,
    check_shares,
    context,
    equal,
    open_client,
    placed,
    shown,
    wait_until,
)
from flagsmith import Flagsmith
from openfeature_flagsmith.provider import FlagsmithProvider


def provider(key, **options):
    client = Flagsmith(environment_key=key, api_url=f"{URL}/api/v1/", **options)
    return FlagsmithProvider(client, return_value_for_disabled_flags=False)


def local(key=SERVER_KEY):
    return provider(key, enable_local_evaluation=True, environment_refresh_interval_seconds=0.2)


remote, _ = open_client("remote", provider(CLIENT_KEY))
itself, _ = open_client("itself", local())


def check(client, kind, flag, default, who, value, reason, variant=None, error=None):
    """One evaluation; `who` is a targeting key with attributes."""
    details = getattr(client, f"get_{kind}_details")(flag, default, context(who[0], **who[1]))
    answer = {"value": value, "variant": variant, "reason": reason}
    equal(shown(details), answer if error is None else answer | {"error": error})


anna, alice, pro = ("anna", {}), ("alice", {}), ("paula", {"plan": "pro"})
for client in (remote, itself):
    is_local = client is itself
    by_id = "TARGETING_MATCH"
    check(client, "boolean", "dark-mode", False, anna, True, "STATIC" if is_local else by_id)
    check(client, "string", "banner", "none", anna, "Welcome", "STATIC" if is_local else by_id)
    check(client, "integer", "page-size", -1, anna, 25, "STATIC" if is_local else by_id)
    check(
        client, "string", "banner", "none", alice, "Hello Alice",
        "TARGETING_MATCH; segment=identity_overrides" if is_local else by_id,
    )
    equal(client.get_boolean_value("dark-mode", True, context("alice")), False)
    equal(client.get_integer_value("seats", -1, context("paula", plan="pro")), 50)
    equal(client.get_object_value("limits", {}, context("anna")), {"title": "small", "seats": 3, "trial": True})
    check(client, "string", "no-such-flag", "mine", anna, "mine", "ERROR", error="FLAG_NOT_FOUND")
    check(client, "integer", "banner", 7, anna, 7, "ERROR", error="TYPE_MISMATCH")
    # What is off is false to a boolean, and an error of this provider to all others.
    check(client, "boolean", "retired", True, anna, False, "DISABLED")
    check(client, "string", "new-client", "mine", anna, "mine", "ERROR", error="GENERAL")
    equal(client.get_string_value("new-client", "none", context("vera", version="2.1.0")), "v2")

# Traits that were sent are stored, and count without being sent.
equal(remote.get_integer_value("seats", -1, context("carol")), 50)

colours = placed(remote, "colour")
check_shares(colours)
equal(placed(itself, "colour"), colours)

banner = lambda client: client.get_string_value("banner", "none", context("anna"))
change("banner", "Changed")
equal(banner(remote), "Changed")
wait_until(lambda: banner(itself) == "Changed", "the refresh")

ask("stop")
equal(banner(remote), "none")
equal(banner(itself), "Changed")
ask("start")
equal(banner(remote), "Changed")
change("banner", "Back again")
wait_until(lambda: banner(itself) == "Back again", "the refresh after the restart")

wrong, _ = open_client("wrong", provider("wrong"))
check(wrong, "string", "banner", "mine", anna, "mine", "ERROR", error="GENERAL")
