"""What an SDK counts arrives and is accepted. The test that runs this script then looks for the sums."""

from server import equal, remote

client = remote(enable_analytics=True)
flags = client.get_environment_flags()
for _ in range(7):
    flags.is_feature_enabled("dark-mode")
for _ in range(3):
    flags.get_feature_value("page-size")
equal(dict(client._analytics_processor.analytics_data), {"dark-mode": 7, "page-size": 3})
client._analytics_processor.flush()

from flagsmith.analytics import session

# The SDK sends from a pool of threads and looks at no answer.
session.executor.shutdown(wait=True)
