"""A change reaches an SDK that listens, without asking."""

from server import URL, change_value, equal, local, wait_until

client = local(enable_realtime_updates=True, realtime_api_url=URL)
equal(client.get_environment_flags().get_feature_value("banner"), "Welcome")

for text in ("First change", "Second change", "Welcome"):
    change_value("banner", text)
    wait_until(lambda: client.get_environment_flags().get_feature_value("banner") == text, text)
