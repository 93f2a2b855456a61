"""What is transient counts for one call and is not stored."""

from server import CLIENT_KEY, admin, equal, remote

client = remote()

flags = client.get_identity_flags("dave", {"beta": True}, transient=True)
equal(flags.is_feature_enabled("beta-search"), True)
flags = client.get_identity_flags("dave", transient=True)
equal(flags.is_feature_enabled("beta-search"), False)
found = admin("GET", f"environments/{CLIENT_KEY}/identities/?q=dave")["results"]
equal(found, [])

traits = {"plan": "pro", "beta": {"value": True, "transient": True}}
flags = client.get_identity_flags("erin", traits)
equal(flags.is_feature_enabled("beta-search"), True)
equal(flags.get_feature_value("seats"), 50)
flags = client.get_identity_flags("erin")
equal(flags.is_feature_enabled("beta-search"), False)
equal(flags.get_feature_value("seats"), 50)
