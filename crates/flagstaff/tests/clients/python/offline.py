"""A document saved from the server serves an SDK that has no server."""

import json
import tempfile

from flagsmith import Flagsmith
from flagsmith.offline_handlers import LocalFileHandler
from server import SERVER_KEY, equal, remote, sdk, shown

status, document = sdk("GET", "environment-document/", key=SERVER_KEY)
equal(status, 200)
with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    json.dump(document, file)
    file.flush()
    offline = Flagsmith(offline_mode=True, offline_handler=LocalFileHandler(file.name))

client = remote(SERVER_KEY)
equal(shown(offline.get_environment_flags()), shown(client.get_environment_flags()))
traits = {"plan": "enterprise", "beta": True}
for identifier in ("alice", "bob", "henry"):
    equal(shown(offline.get_identity_flags(identifier, traits)), shown(client.get_identity_flags(identifier, traits)))

# The handler also stands in for a server that cannot be reached.
stand_in = Flagsmith(
    environment_key="whatever",
    api_url="http://127.0.0.1:9/api/v1/",
    offline_handler=offline.offline_handler,
    request_timeout_seconds=1,
)
equal(stand_in.get_environment_flags().get_feature_value("banner"), "Welcome")
