"""Variants are about as frequent as their weights, stay with an identity, and are the same locally."""

from collections import Counter

from server import equal, local, remote

client, engine = remote(), local()
people = [f"person-{number}" for number in range(200)]


def colour(source, person):
    return source.get_identity_flags(person).get_feature_value("colour")


first = {person: colour(client, person) for person in people}
again = {person: colour(client, person) for person in people}
here = {person: colour(engine, person) for person in people}

equal(again, first)
equal(here, first)
counts = Counter(first.values())
# Three standard deviations around 60 blue, 40 green and 100 red of 200.
assert 40 <= counts["blue"] <= 80, counts
assert 22 <= counts["green"] <= 58, counts
assert 78 <= counts["red"] <= 122, counts

flag = client.get_identity_flags("someone", {"colour": "blue"}).get_flag("colour")
equal((flag.value, flag.variant), ("blue", "blue"))
