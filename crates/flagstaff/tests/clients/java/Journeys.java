import java.util.Map;

/** The journeys of the Java SDK, one for each name on the command line. */
public final class Journeys {
  private interface Journey {
    void run() throws Exception;
  }

  private static final Map<String, Journey> ALL =
      Map.ofEntries(
          Map.entry("alone", Comparing::alone),
          Map.entry("analytics", Remote::analytics),
          Map.entry("cache", Remote::cache),
          Map.entry("environment_flags", Remote::environmentFlags),
          Map.entry("identity_flags", Remote::identityFlags),
          Map.entry("local_equals_remote", Comparing::localEqualsRemote),
          Map.entry("multivariate", Local::multivariate),
          Map.entry("offline", Local::offline),
          Map.entry("overrides", Local::overrides),
          Map.entry("refresh", Local::refresh),
          Map.entry("transient", Remote::transientTraits),
          Map.entry("wrong_key", Remote::wrongKey));

  public static void main(String[] arguments) {
    try {
      ALL.get(arguments[0]).run();
    } catch (Throwable problem) {
      problem.printStackTrace();
      System.exit(1);
    }
    // Threads of the SDK would keep the program alive.
    System.exit(0);
  }
}
