import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.EvaluationContext;
import dev.openfeature.sdk.EventDetails;
import dev.openfeature.sdk.FeatureProvider;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.ImmutableStructure;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.ProviderEvent;
import dev.openfeature.sdk.Structure;
import dev.openfeature.sdk.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** What one client says, what it is expected to say, and its events. */
final class Answers {
  final Client client;
  private final List<Map.Entry<ProviderEvent, EventDetails>> events = new CopyOnWriteArrayList<>();

  /** Waits for the provider, whether it gets ready or not: a failure is left to evaluations. */
  Answers(String name, FeatureProvider provider) {
    OpenFeatureAPI api = OpenFeatureAPI.getInstance();
    client = api.getClient(name);
    for (ProviderEvent event : ProviderEvent.values()) {
      client.on(event, details -> events.add(Map.entry(event, details)));
    }
    try {
      api.setProviderAndWait(name, provider);
    } catch (RuntimeException refused) {
      // Evaluations say it.
    }
  }

  void forget() {
    events.clear();
  }

  /** Waits until such an event has come since it was last told to forget. */
  void await(ProviderEvent event, Predicate<EventDetails> holds) throws Exception {
    Stage.waitUntil(
        () -> events.stream().anyMatch(e -> e.getKey() == event && holds.test(e.getValue())),
        event + " among " + events);
  }

  String text(String flag, String person) {
    return client.getStringValue(flag, "none", new ImmutableContext(person));
  }

  /** Who gets what. */
  Map<String, String> placed(String flag) {
    Map<String, String> found = new TreeMap<>();
    for (int number = 0; number < 200; number++) {
      found.put("person-" + number, text(flag, "person-" + number));
    }
    return found;
  }

  /** Three standard deviations around 60 blue, 40 green and 100 red of 200. */
  static void checkShares(Map<String, String> found) {
    Map<String, Integer> counts = new HashMap<>();
    found.values().forEach(colour -> counts.merge(colour, 1, Integer::sum));
    Stage.check(counts.get("blue") >= 40 && counts.get("blue") <= 80, "" + counts);
    Stage.check(counts.get("green") >= 22 && counts.get("green") <= 58, "" + counts);
    Stage.check(counts.get("red") >= 78 && counts.get("red") <= 122, "" + counts);
  }

  /** Every case at once, so that one look shows all that is wrong. */
  void checkCases(String name) throws Exception {
    List<String> wrong = new ArrayList<>();
    for (JsonNode each : Stage.cases()) {
      JsonNode actual = evaluate(each);
      JsonNode expected = expected(each, name);
      if (!actual.equals(Answers::compare, expected)) {
        wrong.add(each.get("name") + ":\n  actual:   " + actual + "\n  expected: " + expected);
      }
    }
    Stage.check(wrong.isEmpty(), String.join("\n", wrong));
  }

  /** 0 and 0.0 are one number. */
  private static int compare(JsonNode one, JsonNode other) {
    if (one.isNumber() && other.isNumber()) {
      return Double.compare(one.asDouble(), other.asDouble());
    }
    return one.equals(other) ? 0 : 1;
  }

  JsonNode evaluate(JsonNode each) throws Exception {
    String flag = each.get("flag").asText();
    JsonNode other = each.get("default");
    EvaluationContext who = context(each);
    switch (each.get("type").asText()) {
      case "boolean":
        return shown(client.getBooleanDetails(flag, other.asBoolean(), who));
      case "string":
        return shown(client.getStringDetails(flag, other.asText(), who));
      case "integer":
        return shown(client.getIntegerDetails(flag, other.asInt(), who));
      case "float":
        return shown(client.getDoubleDetails(flag, other.asDouble(), who));
      default:
        return shown(client.getObjectDetails(flag, object(other), who));
    }
  }

  private static EvaluationContext context(JsonNode each) {
    Map<String, Value> attributes = new HashMap<>();
    if (each.has("attributes")) {
      each.get("attributes")
          .fields()
          .forEachRemaining(field -> attributes.put(field.getKey(), value(field.getValue())));
    }
    return each.has("key")
        ? new ImmutableContext(each.get("key").asText(), attributes)
        : new ImmutableContext(attributes);
  }

  private static Value object(JsonNode node) {
    Map<String, Value> members = new HashMap<>();
    node.fields()
        .forEachRemaining(field -> members.put(field.getKey(), value(field.getValue())));
    return new Value(new ImmutableStructure(members));
  }

  private static Value value(JsonNode node) {
    if (node.isBoolean()) {
      return new Value(node.asBoolean());
    }
    return node.isNumber() ? new Value(node.asInt()) : new Value(node.asText());
  }

  /** In the words of {@code cases.json}. */
  static JsonNode shown(FlagEvaluationDetails<?> details) throws Exception {
    ObjectNode answer = Stage.JSON.createObjectNode();
    answer.set("value", plain(details.getValue()));
    String variant = details.getVariant();
    answer.put("variant", variant == null || variant.isEmpty() ? null : variant);
    answer.put("reason", details.getReason());
    if (details.getErrorCode() != null) {
      answer.put("error", details.getErrorCode().name());
    }
    // Read again, so that numbers are what they are in the file.
    return Stage.JSON.readTree(answer.toString());
  }

  private static JsonNode plain(Object value) {
    if (value instanceof Value) {
      return plain(((Value) value).asObject());
    }
    if (value instanceof Structure) {
      ObjectNode object = Stage.JSON.createObjectNode();
      ((Structure) value).asMap().forEach((name, field) -> object.set(name, plain(field)));
      return object;
    }
    if (value instanceof Double && (Double) value % 1 == 0) {
      return Stage.JSON.valueToTree(((Double) value).intValue());
    }
    return Stage.JSON.valueToTree(value);
  }

  /** The common answer, or this client's own where that is known and has a reason. */
  private static JsonNode expected(JsonNode each, String name) {
    JsonNode from = each;
    if (each.has("differs")) {
      var others = each.get("differs").fields();
      while (others.hasNext()) {
        var other = others.next();
        if (name.equals(other.getKey()) || name.endsWith("-" + other.getKey())) {
          from = other.getValue();
        }
      }
    }
    ObjectNode answer = Stage.JSON.createObjectNode();
    for (String field : List.of("value", "variant", "reason", "error")) {
      if (from.has(field)) {
        answer.set(field, from.get(field));
      }
    }
    return answer;
  }
}
