"""Everybody's flags, with the types their values have."""

from server import SERVER_KEY, equal, remote

flags = remote().get_environment_flags()

equal(flags.is_feature_enabled("dark-mode"), True)
equal(flags.get_feature_value("dark-mode"), None)
equal(flags.get_feature_value("banner"), "Welcome")
equal(flags.get_feature_value("page-size"), 25)
equal(flags.is_feature_enabled("beta-search"), False)
equal(flags.get_feature_value("colour"), "red")
names = {flag.feature_name for flag in flags.all_flags()}
equal("internal-limit" in names, False)

flags = remote(SERVER_KEY).get_environment_flags()
equal(flags.get_feature_value("internal-limit"), 9000)
