"""What every script needs: the server, the answers that are expected, and somebody who changes flags meanwhile.

The test that started the script carries out what is written to standard output, a line each, and says when it is done:
`change <feature> <value in JSON>`, `stop` and `start` of the server.
"""

import collections
import json
import os
import sys
import threading
import time

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent

URL = os.environ["SERVER_URL"]
HOST, PORT = URL.removeprefix("http://").split(":")
CLIENT_KEY = os.environ["CLIENT_KEY"]
SERVER_KEY = os.environ["SERVER_KEY"]
PEOPLE = [f"person-{number}" for number in range(200)]


def ask(command):
    """Has something done by the test that runs this script."""
    print(command, flush=True)
    answer = sys.stdin.readline().strip()
    assert answer == "done", answer


def change(feature, value):
    ask(f"change {feature} {json.dumps(value)}")


class Events:
    """The events of one client, as they come."""

    def __init__(self, client):
        self.seen = []
        self.arrived = threading.Condition()
        for event in ProviderEvent:
            client.add_handler(event, lambda details, event=event: self.add(event, details))

    def add(self, event, details):
        with self.arrived:
            self.seen.append((event, details))
            self.arrived.notify_all()

    def forget(self):
        with self.arrived:
            self.seen.clear()

    def wait(self, event, holds=lambda details: True, seconds=30):
        """Waits until such an event has come since the last `forget`."""
        with self.arrived:
            found = self.arrived.wait_for(
                lambda: any(seen is event and holds(details) for seen, details in self.seen), seconds
            )
            assert found, f"no {event} within {seconds} s: {self.seen}"


def open_client(name, provider):
    """A client with a provider, and the events since it was asked for."""
    client = api.get_client(name)
    events = Events(client)
    api.set_provider(provider, name)
    return client, events


def context(key=None, **attributes):
    return EvaluationContext(key, attributes)


def shown(details):
    """What a client says, in the words of `cases.json`."""
    word = lambda value: getattr(value, "value", value)
    answer = {"value": details.value, "variant": details.variant, "reason": word(details.reason)}
    if details.error_code is not None:
        answer["error"] = word(details.error_code)
    return answer


def evaluate(client, case):
    ask_for = getattr(client, f"get_{case['type']}_details")
    return shown(ask_for(case["flag"], case["default"], context(case.get("key"), **case.get("attributes", {}))))


def expected(case, name):
    """What this client is expected to say: the common answer, or its own where that is known and has a reason."""
    answer = {field: case[field] for field in ("value", "variant", "reason", "error") if field in case}
    for whose, other in case.get("differs", {}).items():
        if name == whose or name.endswith(f"-{whose}"):
            answer = {field: value for field, value in other.items() if field != "because"}
    return answer


def check_cases(client, name):
    """Every case at once, so that one look shows all that is wrong."""
    wrong = []
    for case in json.load(open(os.environ["CASES"])):
        answer = evaluate(client, case)
        if answer != expected(case, name):
            wrong.append(f"{case['name']}:\n  actual:   {answer}\n  expected: {expected(case, name)}")
    assert not wrong, "\n".join(wrong)


def placed(client, flag, people=PEOPLE):
    """Who gets what."""
    return {person: client.get_string_value(flag, "none", context(person)) for person in people}


def check_shares(found):
    """Three standard deviations around 60 blue, 40 green and 100 red of 200."""
    counts = collections.Counter(found.values())
    assert 40 <= counts["blue"] <= 80, counts
    assert 22 <= counts["green"] <= 58, counts
    assert 78 <= counts["red"] <= 122, counts


def wait_until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def equal(actual, wanted):
    assert actual == wanted, f"\n  actual:   {actual!r}\n  expected: {wanted!r}"
