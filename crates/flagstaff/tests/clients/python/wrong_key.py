"""A wrong key is refused in a way the SDK understands."""

from flagsmith.exceptions import FlagsmithAPIError
from flagsmith.models import DefaultFlag
from server import API, CLIENT_KEY, equal, remote, sdk

from flagsmith import Flagsmith

for call in (
    lambda: remote("wrong").get_environment_flags(),
    lambda: remote("wrong").get_identity_flags("alice", {"plan": "pro"}),
    # Without a document this SDK asks for the flags instead.
    lambda: Flagsmith(environment_key="ser.wrong", api_url=API, enable_local_evaluation=True).get_environment_flags(),
):
    try:
        call()
    except FlagsmithAPIError:
        continue
    raise AssertionError("a wrong key was taken")

client = remote("wrong", default_flag_handler=lambda name: DefaultFlag(enabled=False, value="default"))
equal(client.get_environment_flags().get_feature_value("banner"), "default")

equal(sdk("GET", "flags/", key="wrong"), (403, {"detail": "Invalid or missing Environment Key"}))
# A client key opens no document.
equal(sdk("GET", "environment-document/", key=CLIENT_KEY), (403, {"detail": "Invalid or missing Environment key"}))
