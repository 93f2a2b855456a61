"""200 identities with traits of every type get the same flags from the server and from the SDK's own engine."""

from server import SERVER_KEY, equal, local, remote, shown

PLANS = ["pro", "free", "enterprise", "", "pro,enterprise", "Pro"]
CODES = ["7", "007", 7, 7.0, " 7", "seven"]
VERSIONS = ["1.9.9", "2.0.0", "2.0.0-rc.1", "2.0", "10.0.0+build", 2]


def traits_of(number):
    traits = {
        "age": 15 + number % 50,
        "email": f"user-{number}@{'example' if number % 3 else 'elsewhere'}.com",
        "plan": PLANS[number % len(PLANS)],
        "code": CODES[number % len(CODES)],
        "version": VERSIONS[number % len(VERSIONS)],
        "is_staff": number % 2 == 0,
        "beta": [True, False, "true", "false", 1, 0][number % 6],
    }
    if number % 4:
        traits["score"] = [2.5, 2, -0.5, 1e3, 2.4999][number % 5]
    if number % 7 == 0:
        traits["colour"] = "blue"
    return traits


client, engine = remote(SERVER_KEY), local()
for number in range(200):
    identifier, traits = f"user-{number}", traits_of(number)
    expected = shown(engine.get_identity_flags(identifier, traits))
    assert len(expected) == 30, len(expected)

    sent = shown(client.get_identity_flags(identifier, traits))
    stored = shown(client.get_identity_flags(identifier))

    for name, flag in expected.items():
        assert sent[name] == flag, f"{identifier} {name}: remotely {sent[name]}, locally {flag}; {traits}"
    equal(sent, expected)
    equal(stored, expected)
