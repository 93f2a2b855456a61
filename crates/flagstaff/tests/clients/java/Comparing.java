import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.flagsmith.FlagsmithClient;
import com.flagsmith.flagengine.Engine;
import com.flagsmith.flagengine.environments.EnvironmentModel;
import com.flagsmith.flagengine.identities.IdentityModel;
import com.flagsmith.models.Flags;
import com.flagsmith.offline.LocalFileHandler;
import com.flagsmith.utils.ModelUtils;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the SDK's own engine says, beside the server and without it; the tests that run this compare. */
final class Comparing {
  static void localEqualsRemote() throws Exception {
    List<List<Object>> answers = new ArrayList<>();
    for (JsonNode environment : cases()) {
      String key = environment.get("server_key").asText();
      FlagsmithClient client = Server.remote(key);
      FlagsmithClient engine = Server.local(key);
      List<Object> found = new ArrayList<>();
      for (JsonNode identity : environment.get("identities")) {
        String identifier = identity.get("identifier").asText();
        found.add(
            Map.of(
                "local", answer(() -> engine.getIdentityFlags(identifier, traits(identity))),
                "sent", Server.shown(client.getIdentityFlags(identifier, traits(identity))),
                "stored", Server.shown(client.getIdentityFlags(identifier))));
      }
      answers.add(found);
      client.close();
      engine.close();
    }
    write(answers);
  }

  static void alone() throws Exception {
    List<Object> answers = new ArrayList<>();
    for (JsonNode one : cases()) {
      EnvironmentModel environment =
          new LocalFileHandler(one.get("document").asText()).getEnvironment();
      answers.add(answer(() -> flags(environment, one)));
    }
    write(answers);
  }

  /** The engine itself: as a client that evaluates, but a client without a server knows no identities. */
  private static Flags flags(EnvironmentModel environment, JsonNode one) {
    String identifier = one.get("identifier").asText();
    IdentityModel identity = new IdentityModel();
    identity.setIdentifier(identifier);
    identity.setEnvironmentApiKey(environment.getApiKey());
    for (IdentityModel known : environment.getIdentityOverrides()) {
      if (known.getIdentifier().equals(identifier)) {
        identity = known;
      }
    }
    identity.updateTraits(ModelUtils.getTraitModelsFromTraitMap(traits(one)));
    return Flags.fromFeatureStateModels(
        Engine.getIdentityFeatureStates(environment, identity), null, identity.getCompositeKey());
  }

  private interface Question {
    Flags ask() throws Exception;
  }

  /** What the SDK's own engine says, or how it fails. */
  private static Object answer(Question question) {
    try {
      return Server.shown(question.ask());
    } catch (Exception error) {
      return Map.of("error", error.toString());
    }
  }

  private static Map<String, Object> traits(JsonNode identity) {
    return Server.JSON.convertValue(
        identity.get("traits"), new TypeReference<Map<String, Object>>() {});
  }

  private static JsonNode cases() throws Exception {
    return Server.JSON.readTree(new File(System.getenv("CASES")));
  }

  private static void write(Object answers) throws Exception {
    Server.JSON.writeValue(new File(System.getenv("ANSWERS")), answers);
  }

  private Comparing() {}
}
