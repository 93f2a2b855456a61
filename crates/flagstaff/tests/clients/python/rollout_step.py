"""A step of a rollout, as the flag is when everybody asks and when the SDK evaluates for itself."""

import json
import os

from flagsmith import Flagsmith

API = f"{os.environ['SERVER_URL']}/api/v1/"
KEY = os.environ["SERVER_KEY"]
EXPECTED = json.loads(os.environ["EXPECTED"])

for options in ({}, {"enable_local_evaluation": True, "environment_refresh_interval_seconds": 3600}):
    flags = Flagsmith(environment_key=KEY, api_url=API, **options).get_environment_flags()
    seen = {"enabled": flags.is_feature_enabled("checkout"), "value": flags.get_feature_value("checkout")}
    assert seen == EXPECTED, (options, seen, EXPECTED)
os._exit(0)
