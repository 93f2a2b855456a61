import dev.openfeature.contrib.providers.flagd.Config;
import dev.openfeature.contrib.providers.flagd.FlagdOptions;
import dev.openfeature.contrib.providers.flagd.FlagdProvider;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.ProviderEvent;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.commons.codec.digest.MurmurHash3;

/** What Maven's {@code dev.openfeature.contrib.providers:flagd} does, one list for each name on the command line. */
public final class Journeys {
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "rpc" -> rpc();
      case "in_process" -> inProcess();
      default -> throw new AssertionError("no such list: " + arguments[0]);
    }
    // Threads of the provider would keep the program alive.
    System.exit(0);
  }

  private static FlagdProvider provider(Config.Resolver resolver, String key) {
    return new FlagdProvider(
        FlagdOptions.builder()
            .resolverType(resolver)
            .host(Stage.HOST)
            .port(Stage.PORT)
            .selector(key)
            .defaultAuthority(key)
            .deadline(10_000)
            .retryBackoffMs(100)
            .build());
  }

  /** It asks about each flag, and caches what is the same for everybody until an event names it. */
  private static void rpc() throws Exception {
    Answers flagd = new Answers("flagd", provider(Config.Resolver.RPC, Stage.SERVER_KEY));
    flagd.checkCases("java-rpc");

    Map<String, String> colours = flagd.placed("colour");
    Answers.checkShares(colours);
    Stage.equal(flagd.placed("colour"), colours);

    checkLimit(flagd, 9000, "CACHED");
    flagd.forget();
    Stage.change("internal-limit", 9001);
    flagd.await(
        ProviderEvent.PROVIDER_CONFIGURATION_CHANGED,
        details -> details.getFlagsChanged().toString().equals("[internal-limit]"));
    checkLimit(flagd, 9001, "STATIC");
    checkLimit(flagd, 9001, "CACHED");

    flagd.forget();
    Stage.ask("stop");
    flagd.await(ProviderEvent.PROVIDER_STALE, details -> true);
    flagd.forget();
    Stage.ask("start");
    flagd.await(ProviderEvent.PROVIDER_READY, details -> true);
    Stage.change("banner", "Back again");
    Stage.waitUntil(
        () -> flagd.text("banner", "anna").equals("Back again"), "the value after the restart");
  }

  private static void checkLimit(Answers flagd, int value, String reason) {
    var details = flagd.client.getIntegerDetails("internal-limit", -1, new ImmutableContext("anna"));
    Stage.equal(details.getValue() + " " + details.getReason(), value + " " + reason);
  }

  /** Where flagd put somebody before `flagd-v2`: a signed hash, without its sign, as a share of the largest one. */
  private static String colourBefore(String person) {
    byte[] bytes = ("colour" + person).getBytes(StandardCharsets.UTF_8);
    int hash = MurmurHash3.hash32x86(bytes, 0, bytes.length, 0);
    float share = Math.abs(hash) * 1.0f / Integer.MAX_VALUE * 100;
    return share < 30 ? "blue" : share < 50 ? "green" : "red";
  }

  /** It takes the whole document and evaluates for itself. */
  private static void inProcess() throws Exception {
    Answers flagd = new Answers("flagd", provider(Config.Resolver.IN_PROCESS, Stage.SERVER_KEY));
    flagd.checkCases("java-in-process");

    // This release hashes as flagd did before the two hashes that the server has: shares agree, people do not.
    Answers asked = new Answers("rpc", provider(Config.Resolver.RPC, Stage.SERVER_KEY));
    Map<String, String> colours = flagd.placed("colour");
    Answers.checkShares(colours);
    colours.forEach((person, colour) -> Stage.equal(colour, colourBefore(person)));
    Stage.check(!asked.placed("colour").equals(colours), "the hashes agree: compare more than one flag");
    Stage.equal(asked.placed("op-equal"), flagd.placed("op-equal"));

    // What the server adds to every context counts as if the caller had sent it.
    Stage.equal(flagd.text("op-by-region", "anna"), "yes");

    flagd.forget();
    Stage.change("banner", "Changed");
    flagd.await(
        ProviderEvent.PROVIDER_CONFIGURATION_CHANGED,
        details -> details.getFlagsChanged().contains("banner"));
    Stage.equal(flagd.text("banner", "anna"), "Changed");

    // The server goes away, which changes nothing here, and comes back.
    flagd.forget();
    Stage.ask("stop");
    flagd.await(ProviderEvent.PROVIDER_STALE, details -> true);
    Stage.equal(flagd.text("banner", "anna"), "Changed");
    flagd.forget();
    Stage.ask("start");
    flagd.await(ProviderEvent.PROVIDER_READY, details -> true);
    Stage.change("banner", "Back again");
    Stage.waitUntil(
        () -> flagd.text("banner", "anna").equals("Back again"), "the value after the restart");
  }
}
