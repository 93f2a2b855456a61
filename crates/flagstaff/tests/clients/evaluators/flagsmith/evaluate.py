"""Flagsmith's Python SDK, evaluating environment documents by itself, behind JSON lines: see ../README.md.

A context's `targetingKey` is the identifier, its other members are traits. A flag is `{"enabled", "value"}`.
"""

import json
import sys

from flagsmith import Flagsmith
from flagsmith.offline_handlers import OfflineHandler


class Given(OfflineHandler):
    def __init__(self, document):
        self.document = document

    def get_environment(self):
        return self.document


def shown(flags):
    return {flag.feature_name: {"enabled": flag.enabled, "value": flag.value} for flag in flags.all_flags()}


def answers(request):
    document = json.loads(request["document"])
    client = Flagsmith(offline_mode=True, offline_handler=Given(document))
    found = []
    for context in request["contexts"]:
        traits = {name: value for name, value in context.items() if name != "targetingKey"}
        found.append(shown(client.get_identity_flags(context["targetingKey"], traits)))
    return {"answers": found}


for line in sys.stdin:
    try:
        answer = answers(json.loads(line))
    except Exception as error:
        answer = {"refused": repr(error)}
    print(json.dumps(answer), flush=True)
