"""An identity's flags: traits sent once count from then on, and null takes one away."""

from server import equal, remote

client = remote()

flags = client.get_identity_flags("carol", {"beta": True, "plan": "pro", "version": "2.1.0"})
equal(flags.is_feature_enabled("beta-search"), True)
equal(flags.get_feature_value("seats"), 50)
equal(flags.get_feature_value("new-client"), "v2")

flags = client.get_identity_flags("carol")
equal(flags.is_feature_enabled("beta-search"), True)
equal(flags.get_feature_value("seats"), 50)

flags = client.get_identity_flags("carol", {"plan": "enterprise", "version": "1.9.9"})
equal(flags.get_feature_value("seats"), 500)
equal(flags.is_feature_enabled("new-client"), False)

flags = client.get_identity_flags("carol", {"plan": None})
equal(flags.get_feature_value("seats"), 5)
equal(flags.is_feature_enabled("beta-search"), True)
