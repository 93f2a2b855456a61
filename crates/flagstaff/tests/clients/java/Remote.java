import com.flagsmith.FlagsmithClient;
import com.flagsmith.config.FlagsmithCacheConfig;
import com.flagsmith.exceptions.FeatureNotFoundError;
import com.flagsmith.exceptions.FlagsmithApiError;
import com.flagsmith.models.DefaultFlag;
import com.flagsmith.models.Flags;
import com.flagsmith.models.TraitConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What people do with the SDK while the server evaluates. */
final class Remote {
  /** What an SDK counts arrives and is accepted. The test that runs this then looks for the sums. */
  static void analytics() throws Exception {
    String before = Server.countOf("/analytics/flags/");
    FlagsmithClient client =
        Server.client(Server.CLIENT_KEY, Server.config().withEnableAnalytics(true)).build();
    Flags flags = client.getEnvironmentFlags();
    for (int times = 0; times < 7; times++) {
      flags.isFeatureEnabled("dark-mode");
    }
    for (int times = 0; times < 3; times++) {
      flags.getFeatureValue("page-size");
    }
    flags.getAnalyticsProcessor().flush();
    // The SDK sends from a thread that nobody can wait for.
    Server.waitUntil(
        () -> !Server.countOf("/analytics/flags/").equals(before), "counts that arrive");
    client.close();
  }

  /** With a cache the SDK asks once for each identity, until it is told to forget. */
  static void cache() throws Exception {
    FlagsmithCacheConfig cache =
        FlagsmithCacheConfig.newBuilder()
            .enableEnvLevelCaching("everybody")
            .expireAfterWrite(1, TimeUnit.HOURS)
            .maxSize(100)
            .build();
    FlagsmithClient client =
        Server.client(Server.CLIENT_KEY, Server.config()).withCache(cache).build();
    Server.equal(client.getEnvironmentFlags().getFeatureValue("banner"), "Welcome");
    Server.equal(client.getIdentityFlags("ivan").getFeatureValue("banner"), "Welcome");

    Server.changeValue("banner", "Changed");
    Server.equal(client.getEnvironmentFlags().getFeatureValue("banner"), "Welcome");
    Server.equal(client.getIdentityFlags("ivan").getFeatureValue("banner"), "Welcome");
    Server.equal(client.getIdentityFlags("judy").getFeatureValue("banner"), "Changed");

    client.getCache().invalidateAll();
    Server.equal(client.getEnvironmentFlags().getFeatureValue("banner"), "Changed");
    Server.equal(client.getIdentityFlags("ivan").getFeatureValue("banner"), "Changed");
    client.close();
  }

  /** Everybody's flags, with the types their values have; some are for servers only. */
  static void environmentFlags() throws Exception {
    Flags flags = Server.remote(Server.CLIENT_KEY).getEnvironmentFlags();
    Server.equal(flags.isFeatureEnabled("dark-mode"), true);
    Server.equal(flags.getFeatureValue("dark-mode"), null);
    Server.equal(flags.getFeatureValue("banner"), "Welcome");
    Server.equal(flags.getFeatureValue("page-size"), 25);
    Server.equal(flags.isFeatureEnabled("beta-search"), false);
    Server.equal(flags.getFeatureValue("colour"), "red");
    try {
      flags.getFlag("internal-limit");
      throw new AssertionError("a feature for servers is shown to a client");
    } catch (FeatureNotFoundError expected) {
      // As it should be.
    }
    flags = Server.remote(Server.SERVER_KEY).getEnvironmentFlags();
    Server.equal(flags.getFeatureValue("internal-limit"), 9000);
  }

  /** An identity's flags: traits sent once count from then on. */
  static void identityFlags() throws Exception {
    FlagsmithClient client = Server.remote(Server.CLIENT_KEY);
    Flags flags =
        client.getIdentityFlags("carol", Map.of("beta", true, "plan", "pro", "version", "2.1.0"));
    Server.equal(flags.isFeatureEnabled("beta-search"), true);
    Server.equal(flags.getFeatureValue("seats"), 50);
    Server.equal(flags.getFeatureValue("new-client"), "v2");

    flags = client.getIdentityFlags("carol");
    Server.equal(flags.isFeatureEnabled("beta-search"), true);
    Server.equal(flags.getFeatureValue("seats"), 50);

    flags = client.getIdentityFlags("carol", Map.of("plan", "enterprise", "version", "1.9.9"));
    Server.equal(flags.getFeatureValue("seats"), 500);
    Server.equal(flags.isFeatureEnabled("new-client"), false);

    // This SDK leaves a null out of what it sends, and a trait without a value is refused, by Flagsmith too.
    Map<String, Object> away = new HashMap<>();
    away.put("plan", null);
    refused(() -> client.getIdentityFlags("carol", away));
    flags = client.getIdentityFlags("carol");
    Server.equal(flags.getFeatureValue("seats"), 500);
    Server.equal(flags.isFeatureEnabled("beta-search"), true);
  }

  /** What is transient counts for one call and is not stored. */
  static void transientTraits() throws Exception {
    FlagsmithClient client = Server.remote(Server.CLIENT_KEY);
    Flags flags = client.getIdentityFlags("dave", Map.of("beta", true), true);
    Server.equal(flags.isFeatureEnabled("beta-search"), true);
    flags = client.getIdentityFlags("dave", Map.of(), true);
    Server.equal(flags.isFeatureEnabled("beta-search"), false);
    String path = "environments/" + Server.CLIENT_KEY + "/identities/?q=dave";
    Server.equal(Server.admin("GET", path, null).get("results").size(), 0);

    Map<String, Object> sent = Map.of("plan", "pro", "beta", new TraitConfig(true, true));
    flags = client.getIdentityFlags("erin", sent);
    Server.equal(flags.isFeatureEnabled("beta-search"), true);
    Server.equal(flags.getFeatureValue("seats"), 50);
    flags = client.getIdentityFlags("erin");
    Server.equal(flags.isFeatureEnabled("beta-search"), false);
    Server.equal(flags.getFeatureValue("seats"), 50);
  }

  private interface Call {
    Object run() throws Exception;
  }

  private static void refused(Call call) throws Exception {
    try {
      call.run();
    } catch (FlagsmithApiError expected) {
      return;
    }
    throw new AssertionError("taken, not refused");
  }

  /** A wrong key is refused in a way the SDK understands, and what is there by default stands in. */
  static void wrongKey() throws Exception {
    FlagsmithClient wrong = Server.remote("wrong");
    refused(wrong::getEnvironmentFlags);
    refused(() -> wrong.getIdentityFlags("alice", Map.of("plan", "pro")));
    FlagsmithClient client =
        Server.client("wrong", Server.config())
            .setDefaultFlagValueFunction(
                name -> {
                  DefaultFlag flag = new DefaultFlag();
                  flag.setFeatureName(name);
                  flag.setEnabled(false);
                  flag.setValue("default");
                  return flag;
                })
            .build();
    Server.equal(client.getEnvironmentFlags().getFeatureValue("banner"), "default");

    Server.equal(
        Server.sdk("flags/", "wrong").toString(),
        "Answer[status=403, body={\"detail\":\"Invalid or missing Environment Key\"}]");
    Server.equal(
        Server.sdk("environment-document/", Server.CLIENT_KEY).toString(),
        "Answer[status=403, body={\"detail\":\"Invalid or missing Environment key\"}]");
  }

  private Remote() {}
}
