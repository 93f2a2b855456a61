"""What every script needs: where the server is, keys, and how it is changed while a script runs."""

import functools
import json
import os
import time
import urllib.error
import urllib.request

from flagsmith import Flagsmith

URL = os.environ["SERVER_URL"]
API = f"{URL}/api/v1/"
CLIENT_KEY = os.environ["CLIENT_KEY"]
SERVER_KEY = os.environ["SERVER_KEY"]
MEMBER = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}


def remote(key=CLIENT_KEY, **options):
    return Flagsmith(environment_key=key, api_url=API, **options)


def local(environment_key=SERVER_KEY, **options):
    return Flagsmith(
        environment_key=environment_key,
        api_url=API,
        enable_local_evaluation=True,
        environment_refresh_interval_seconds=3600,
        **options,
    )


@functools.cache
def admin_token():
    status, answer = call("POST", "auth/login/", {}, MEMBER)
    assert status == 200, (status, answer)
    return answer["key"]


def admin(method, path, body=None):
    """Calls the admin API and gives back its JSON."""
    status, answer = call(method, path, {"Authorization": f"Token {admin_token()}"}, body)
    assert status < 300, (method, path, status, answer)
    return answer


def sdk(method, path, body=None, key=CLIENT_KEY):
    """Calls the SDK API without an SDK; gives status and JSON."""
    return call(method, path, {"X-Environment-Key": key}, body)


def call(method, path, headers, body):
    request = urllib.request.Request(API + path, method=method, headers=headers)
    data = None
    if body is not None:
        request.add_header("Content-Type", "application/json")
        data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=10) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def default_state(feature):
    """The environment's own state of a feature, as the admin API shows it."""
    states = admin("GET", f"environments/{CLIENT_KEY}/featurestates/?feature_name={feature}")["results"]
    assert len(states) == 1, states
    return states[0]


def change_value(feature, value):
    """Sets what a feature says to everybody for whom nothing else is said."""
    state = default_state(feature)
    path = f"environments/{CLIENT_KEY}/featurestates/{state['id']}/"
    admin("PATCH", path, {"feature_state_value": value})


def wait_until(condition, what, seconds=10):
    """Asks again and again until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def shown(flags):
    """Flags in a form that can be compared."""
    return {
        flag.feature_name: {"enabled": flag.enabled, "value": flag.value, "variant": flag.variant}
        for flag in flags.all_flags()
    }


def evaluated(engine, identifier, traits):
    """What the SDK's own engine says, or how it fails."""
    try:
        return shown(engine.get_identity_flags(identifier, traits))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def equal(actual, expected):
    assert actual == expected, f"\n  actual:   {actual!r}\n  expected: {expected!r}"
