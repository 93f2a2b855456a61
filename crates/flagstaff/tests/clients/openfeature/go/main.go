// What OpenFeature's provider for flagd does in Go, one list for each name on the command line.
package main

import (
	"os"
	"strconv"
	"strings"

	flagd "github.com/open-feature/go-sdk-contrib/providers/flagd/pkg"
	"github.com/open-feature/go-sdk/openfeature"
)

func main() {
	switch os.Args[1] {
	case "rpc":
		rpc()
	case "in_process":
		inProcess()
	default:
		panic("no such list: " + os.Args[1])
	}
}

func provider(key string, resolver flagd.ProviderOption, more ...flagd.ProviderOption) *flagd.Provider {
	host, text, _ := strings.Cut(strings.TrimPrefix(os.Getenv("SERVER_URL"), "http://"), ":")
	port, err := strconv.ParseUint(text, 10, 16)
	must(err)
	options := []flagd.ProviderOption{
		flagd.WithHost(host),
		flagd.WithPort(uint16(port)),
		flagd.WithSelector(key),
		flagd.WithDeadline(10_000),
		flagd.WithRetryBackoffMs(100),
		flagd.WithRetryBackoffMaxMs(500),
		resolver,
	}
	made, err := flagd.NewProvider(append(options, more...)...)
	must(err)
	return made
}

func asking(key string) *flagd.Provider {
	return provider(key, flagd.WithRPCResolver(), flagd.WithEventStreamConnectionMaxAttempts(20))
}

func byItself(key string) *flagd.Provider {
	// A refusal is the end only where it is told so; otherwise the provider goes on trying.
	return provider(key, flagd.WithInProcessResolver(), flagd.WithFatalStatusCodes([]string{"UNAUTHENTICATED"}))
}

// rpc asks about each flag, and caches what is the same for everybody until an event names it.
func rpc() {
	client := open("flagd", asking(os.Getenv("SERVER_KEY")))
	client.checkCases("go-rpc")

	colours := client.placed("colour")
	checkShares(colours)
	equal(client.placed("colour"), colours)

	client.checkLimit(9000, "CACHED")
	client.forget()
	change("internal-limit", "9001")
	client.await(openfeature.ProviderConfigChange, "internal-limit")
	client.checkLimit(9001, "STATIC")
	client.checkLimit(9001, "CACHED")

	client.forget()
	ask("stop")
	client.await(openfeature.ProviderError, "")
	equal(client.text("banner", "anna"), "none")
	client.forget()
	ask("start")
	client.await(openfeature.ProviderReady, "")
	change("banner", `"Back again"`)
	client.waitForBanner("Back again")

	wrong := open("wrong", asking("ser.wrong"))
	equal(wrong.text("banner", "anna"), "none")
}

// inProcess takes the whole document and evaluates for itself.
func inProcess() {
	client := open("flagd", byItself(os.Getenv("SERVER_KEY")))
	client.checkCases("go-in-process")

	// With the hash of this generation the server puts everybody where this program puts them.
	asked := open("rpc", asking(os.Getenv("SERVER_KEY")))
	colours := client.placed("colour")
	checkShares(colours)
	equal(asked.placed("colour"), colours)
	for _, flag := range []string{"op-third", "op-equal"} {
		equal(asked.placed(flag), client.placed(flag))
	}

	// This provider passes over what the server adds to every context.
	equal(client.text("op-by-region", "anna"), "none")

	client.forget()
	change("banner", `"Changed"`)
	client.await(openfeature.ProviderConfigChange, "banner")
	client.waitForBanner("Changed")

	// The server goes away, which changes nothing here, and comes back.
	client.forget()
	ask("stop")
	client.await(openfeature.ProviderStale, "")
	equal(client.text("banner", "anna"), "Changed")
	client.forget()
	ask("start")
	client.await(openfeature.ProviderReady, "")
	change("banner", `"Back again"`)
	client.waitForBanner("Back again")

	refused := openfeature.SetNamedProviderAndWait("wrong", byItself("ser.wrong"))
	check(refused != nil, "a provider with a wrong key got ready")
}
