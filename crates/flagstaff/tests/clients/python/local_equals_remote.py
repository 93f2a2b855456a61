"""Asks the SDK's own engine and the server about the same identities; the test that runs this compares."""

import json
import os

from server import evaluated, local, remote, shown

answers = []
for case in json.load(open(os.environ["CASES"])):
    client = remote(case["server_key"])
    engine = local(environment_key=case["server_key"])
    answers.append([])
    for identity in case["identities"]:
        identifier, traits = identity["identifier"], identity["traits"]
        answers[-1].append(
            {
                "local": evaluated(engine, identifier, traits),
                "sent": shown(client.get_identity_flags(identifier, traits)),
                "stored": shown(client.get_identity_flags(identifier)),
            }
        )
json.dump(answers, open(os.environ["ANSWERS"], "w"))
