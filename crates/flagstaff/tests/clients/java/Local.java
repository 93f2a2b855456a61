import com.flagsmith.FlagsmithClient;
import com.flagsmith.config.FlagsmithConfig;
import com.flagsmith.config.Retry;
import com.flagsmith.models.Flags;
import com.flagsmith.offline.LocalFileHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What people do with the SDK's own engine. */
final class Local {
  /** Variants are about as frequent as their weights, stay with an identity, and are the same locally. */
  static void multivariate() throws Exception {
    FlagsmithClient client = Server.remote(Server.CLIENT_KEY);
    List<Object> first = colours(client);
    Server.equal(colours(client), first);
    Server.equal(colours(Server.local(Server.SERVER_KEY)), first);
    // Three standard deviations around 60 blue, 40 green and 100 red of 200.
    between(40, Collections.frequency(first, "blue"), 80);
    between(22, Collections.frequency(first, "green"), 58);
    between(78, Collections.frequency(first, "red"), 122);

    Flags flags = client.getIdentityFlags("someone", Map.of("colour", "blue"));
    Server.equal(flags.getFeatureValue("colour"), "blue");
  }

  private static List<Object> colours(FlagsmithClient source) throws Exception {
    List<Object> colours = new ArrayList<>();
    for (int number = 0; number < 200; number++) {
      colours.add(source.getIdentityFlags("person-" + number).getFeatureValue("colour"));
    }
    return colours;
  }

  private static void between(int least, int count, int most) {
    Server.check(least <= count && count <= most, least + " <= " + count + " <= " + most);
  }

  /** A document saved from the server serves an SDK that has no server. */
  static void offline() throws Exception {
    Server.Answer document = Server.sdk("environment-document/", Server.SERVER_KEY);
    Server.equal(document.status(), 200);
    Path file = Files.createTempFile("flagstaff-", ".json");
    Files.writeString(file, document.body().toString());
    LocalFileHandler handler = new LocalFileHandler(file.toString());
    Files.delete(file);
    FlagsmithConfig.Builder config =
        FlagsmithConfig.newBuilder().withOfflineMode(true).withOfflineHandler(handler);
    FlagsmithClient offline = Server.client("none", config).build();

    var everybody = Server.remote(Server.SERVER_KEY).getEnvironmentFlags();
    Server.equal(Server.shown(offline.getEnvironmentFlags()), Server.shown(everybody));
    // Offline this SDK passes over what identities have of their own.
    Server.equal(offline.getIdentityFlags("alice").getFeatureValue("banner"), "Welcome");
    // How the engine compares with the server is another journey's question.
    FlagsmithClient engine = Server.local(Server.SERVER_KEY);
    Map<String, Object> traits = Map.of("plan", "enterprise", "beta", true);
    for (String identifier : List.of("frank", "grace", "henry")) {
      Server.equal(
          Server.shown(offline.getIdentityFlags(identifier, traits)),
          Server.shown(engine.getIdentityFlags(identifier, traits)));
    }

    // The handler also stands in for a server that cannot be reached.
    FlagsmithConfig.Builder unreachable =
        FlagsmithConfig.newBuilder()
            .baseUri("http://127.0.0.1:9/api/v1/")
            .retries(new Retry(1))
            .withOfflineHandler(handler);
    FlagsmithClient standIn = Server.client("whatever", unreachable).build();
    Server.equal(standIn.getEnvironmentFlags().getFeatureValue("banner"), "Welcome");
  }

  /** Segments override everybody's state, an identity's own override wins over both. */
  static void overrides() throws Exception {
    for (FlagsmithClient client :
        List.of(Server.remote(Server.CLIENT_KEY), Server.local(Server.SERVER_KEY))) {
      Flags flags = client.getIdentityFlags("alice", Map.of("plan", "pro", "age", 40));
      Server.equal(flags.isFeatureEnabled("dark-mode"), false);
      Server.equal(flags.getFeatureValue("banner"), "Hello Alice");
      Server.equal(flags.getFeatureValue("seats"), 50);

      flags = client.getIdentityFlags("frank", Map.of("plan", "pro", "age", 40));
      Server.equal(flags.isFeatureEnabled("dark-mode"), true);
      Server.equal(flags.getFeatureValue("banner"), "Nested");
      Server.equal(flags.getFeatureValue("seats"), 50);

      flags = client.getIdentityFlags("grace", Map.of("plan", "enterprise", "age", 40));
      Server.equal(flags.getFeatureValue("seats"), 500);

      flags = client.getIdentityFlags("bob");
      Server.equal(flags.getFeatureValue("page-size"), 100);
      Server.equal(flags.getFeatureValue("colour"), "green");
    }
  }

  /** A change reaches an SDK that evaluates locally when it refreshes, by itself or when told to. */
  static void refresh() throws Exception {
    FlagsmithClient byItself = Server.local(Server.SERVER_KEY, 1);
    FlagsmithClient whenTold = Server.local(Server.SERVER_KEY);
    Server.equal(byItself.getEnvironmentFlags().getFeatureValue("banner"), "Welcome");

    Server.changeValue("banner", "Changed");
    Server.equal(whenTold.getEnvironmentFlags().getFeatureValue("banner"), "Welcome");
    whenTold.updateEnvironment();
    Server.equal(whenTold.getEnvironmentFlags().getFeatureValue("banner"), "Changed");
    Server.waitUntil(
        () -> "Changed".equals(byItself.getEnvironmentFlags().getFeatureValue("banner")),
        "a refresh");
  }

  private Local() {}
}
