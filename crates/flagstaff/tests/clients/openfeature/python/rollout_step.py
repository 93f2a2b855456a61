"""A step of a rollout, as OpenFeature resolves the flag: off is the caller's own default."""

import json
import os

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider

KEY = os.environ["SERVER_KEY"]
EXPECTED = json.loads(os.environ["EXPECTED"])

provider = OFREPProvider(os.environ["SERVER_URL"], headers_factory=lambda: {"Authorization": f"Bearer {KEY}"})
api.set_provider(provider)
seen = api.get_client().get_string_value("checkout", "the default")
expected = EXPECTED["value"] if EXPECTED["enabled"] else "the default"
assert seen == expected, (seen, expected)
