import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Objects;

/** Somebody who changes flags and restarts the server: the test that runs this, told by lines of standard output. */
final class Stage {
  static final String URL = System.getenv("SERVER_URL");
  static final String HOST = URL.substring("http://".length(), URL.lastIndexOf(':'));
  static final int PORT = Integer.parseInt(URL.substring(URL.lastIndexOf(':') + 1));
  static final String SERVER_KEY = System.getenv("SERVER_KEY");
  static final ObjectMapper JSON = new ObjectMapper();
  private static final BufferedReader ANSWERS =
      new BufferedReader(new InputStreamReader(System.in));

  /** Has something done. */
  static void ask(String command) throws Exception {
    System.out.println(command);
    System.out.flush();
    equal(ANSWERS.readLine(), "done");
  }

  static void change(String feature, Object value) throws Exception {
    ask("change " + feature + " " + JSON.writeValueAsString(value));
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void waitUntil(Condition condition, String what) throws Exception {
    long end = System.nanoTime() + 30_000_000_000L;
    while (!condition.holds()) {
      check(System.nanoTime() < end, "not within 30 s: " + what);
      Thread.sleep(20);
    }
  }

  static JsonNode cases() throws Exception {
    return JSON.readTree(new java.io.File(System.getenv("CASES")));
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static void equal(Object actual, Object expected) {
    check(Objects.equals(actual, expected), "actual: " + actual + ", expected: " + expected);
  }

  private Stage() {}
}
