import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.flagsmith.FlagsmithClient;
import com.flagsmith.config.FlagsmithConfig;
import com.flagsmith.config.Retry;
import com.flagsmith.models.BaseFlag;
import com.flagsmith.models.Flags;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What every journey needs: where the server is, keys, and how it is changed while a journey runs. */
final class Server {
  static final String URL = System.getenv("SERVER_URL");
  static final String API = URL + "/api/v1/";
  static final String CLIENT_KEY = System.getenv("CLIENT_KEY");
  static final String SERVER_KEY = System.getenv("SERVER_KEY");
  static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  static FlagsmithConfig.Builder config() {
    return FlagsmithConfig.newBuilder().baseUri(API).retries(new Retry(1));
  }

  static FlagsmithClient.Builder client(String key, FlagsmithConfig.Builder config) {
    return FlagsmithClient.newBuilder().setApiKey(key).withConfiguration(config.build());
  }

  static FlagsmithClient remote(String key) {
    return client(key, config()).build();
  }

  static FlagsmithClient local(String key) {
    return local(key, 3600);
  }

  static FlagsmithClient local(String key, int seconds) {
    FlagsmithConfig.Builder config =
        config().withLocalEvaluation(true).withEnvironmentRefreshIntervalSeconds(seconds);
    return client(key, config).build();
  }

  record Answer(int status, JsonNode body) {}

  private static Answer call(String method, String path, String header, String value, Object body)
      throws Exception {
    HttpRequest.BodyPublisher sent =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(API + path))
            .method(method, sent)
            .header("Content-Type", "application/json")
            .header(header, value)
            .build();
    HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    return new Answer(answer.statusCode(), JSON.readTree(answer.body()));
  }

  /** The SDK's routes without the SDK. */
  static Answer sdk(String path, String key) throws Exception {
    return call("GET", path, "X-Environment-Key", key, null);
  }

  static JsonNode admin(String method, String path, Object body) throws Exception {
    Map<String, String> member =
        Map.of("email", System.getenv("ADMIN_EMAIL"), "password", System.getenv("ADMIN_PASSWORD"));
    Answer login = call("POST", "auth/login/", "Accept", "application/json", member);
    equal(login.status, 200);
    String token = "Token " + login.body.get("key").asText();
    Answer answer = call(method, path, "Authorization", token, body);
    check(answer.status < 300, method + " " + path + ": " + answer);
    return answer.body;
  }

  /** Sets what a feature says to everybody for whom nothing else is said. */
  static void changeValue(String feature, String value) throws Exception {
    String states = "environments/" + CLIENT_KEY + "/featurestates/";
    JsonNode found = admin("GET", states + "?feature_name=" + feature, null).get("results");
    equal(found.size(), 1);
    admin("PATCH", states + found.get(0).get("id") + "/", Map.of("feature_state_value", value));
  }

  /** How many requests to a route the server has answered well, as it says itself. */
  static String countOf(String route) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(URL + "/metrics")).build();
    String text = HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
    return text.lines()
        .filter(line -> line.startsWith("flagstaff_http_requests_total"))
        .filter(line -> line.contains(route) && line.contains("200"))
        .findFirst()
        .orElse("");
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void waitUntil(Condition condition, String what) throws Exception {
    long end = System.nanoTime() + 30_000_000_000L;
    while (!condition.holds()) {
      check(System.nanoTime() < end, "not within 30 s: " + what);
      Thread.sleep(50);
    }
  }

  /** Flags in a form that can be compared. */
  static Map<String, Map<String, Object>> shown(Flags flags) {
    Map<String, Map<String, Object>> shown = new TreeMap<>();
    for (BaseFlag flag : flags.getAllFlags()) {
      Map<String, Object> state = new TreeMap<>();
      state.put("enabled", flag.getEnabled());
      state.put("value", flag.getValue());
      shown.put(flag.getFeatureName(), state);
    }
    return shown;
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static void equal(Object actual, Object expected) {
    check(Objects.equals(actual, expected), "actual: " + actual + ", expected: " + expected);
  }

  private Server() {}
}
