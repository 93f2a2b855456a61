"""Segments override everybody's state, an identity's own override wins over both, remotely and locally."""

from server import equal, local, remote

for client in (remote(), local()):
    flags = client.get_identity_flags("alice", {"plan": "pro", "age": 40})
    equal(flags.is_feature_enabled("dark-mode"), False)
    equal(flags.get_feature_value("banner"), "Hello Alice")
    equal(flags.get_feature_value("seats"), 50)

    flags = client.get_identity_flags("frank", {"plan": "pro", "age": 40})
    equal(flags.is_feature_enabled("dark-mode"), True)
    equal(flags.get_feature_value("banner"), "Nested")
    equal(flags.get_feature_value("seats"), 50)

    flags = client.get_identity_flags("grace", {"plan": "enterprise", "age": 40})
    equal(flags.get_feature_value("seats"), 500)

    flags = client.get_identity_flags("bob")
    equal(flags.get_feature_value("page-size"), 100)
    equal(flags.get_feature_value("colour"), "green")
