// What people do with the SDK while the server evaluates.
package main

import (
	"context"
	"errors"
	"strings"

	flagsmith "github.com/Flagsmith/flagsmith-go-client/v5"
)

// analytics: what an SDK counts arrives and is accepted. The test that runs this then looks for the sums.
func analytics() {
	before := countOf("/analytics/flags/")
	running, stop := context.WithCancel(context.Background())
	flags := everybody(remote(clientKey, flagsmith.WithAnalytics(running)))
	for range 7 {
		isOn(flags, "dark-mode")
	}
	for range 3 {
		valueOf(flags, "page-size")
	}
	// The SDK sends every ten seconds and cannot be told to.
	waitUntil("counts that arrive", func() bool { return countOf("/analytics/flags/") != before })
	stop()
}

// environmentFlags: everybody's flags, with the types their values have; some are for servers only.
func environmentFlags() {
	flags := everybody(remote(clientKey))
	equal(isOn(flags, "dark-mode"), true)
	equal(valueOf(flags, "dark-mode"), nil)
	equal(valueOf(flags, "banner"), "Welcome")
	equal(valueOf(flags, "page-size"), 25.0)
	equal(isOn(flags, "beta-search"), false)
	equal(valueOf(flags, "colour"), "red")
	_, err := flags.GetFlag("internal-limit")
	check(err != nil, "a feature for servers is shown to a client")

	equal(valueOf(everybody(remote(serverKey)), "internal-limit"), 9000.0)
}

// identityFlags: traits sent once count from then on, and null takes one away.
func identityFlags() {
	client := remote(clientKey)
	flags := of(client, "carol", attributes{"beta": true, "plan": "pro", "version": "2.1.0"})
	equal(isOn(flags, "beta-search"), true)
	equal(valueOf(flags, "seats"), 50.0)
	equal(valueOf(flags, "new-client"), "v2")

	flags = of(client, "carol", nil)
	equal(isOn(flags, "beta-search"), true)
	equal(valueOf(flags, "seats"), 50.0)

	flags = of(client, "carol", attributes{"plan": "enterprise", "version": "1.9.9"})
	equal(valueOf(flags, "seats"), 500.0)
	equal(isOn(flags, "new-client"), false)

	flags = of(client, "carol", attributes{"plan": nil})
	equal(valueOf(flags, "seats"), 5.0)
	equal(isOn(flags, "beta-search"), true)
}

// transient: what is transient counts for one call and is not stored.
func transient() {
	client := remote(clientKey)
	ask := func(asked flagsmith.EvaluationContext) flagsmith.Flags {
		flags, err := client.GetFlags(context.Background(), &asked)
		must(err)
		return flags
	}
	flags := ask(flagsmith.NewTransientEvaluationContext("dave", attributes{"beta": true}))
	equal(isOn(flags, "beta-search"), true)
	flags = ask(flagsmith.NewTransientEvaluationContext("dave", nil))
	equal(isOn(flags, "beta-search"), false)
	stored := results(admin("GET", "environments/"+clientKey+"/identities/?q=dave", nil))
	equal(len(stored), 0)

	sent := flagsmith.NewEvaluationContext("erin", attributes{
		"plan": "pro",
		"beta": flagsmith.NewTraitEvaluationContext(true, true),
	})
	flags = ask(sent)
	equal(isOn(flags, "beta-search"), true)
	equal(valueOf(flags, "seats"), 50.0)
	flags = of(client, "erin", nil)
	equal(isOn(flags, "beta-search"), false)
	equal(valueOf(flags, "seats"), 50.0)
}

// wrongKey: it is refused in a way the SDK understands, and what is there by default stands in.
func wrongKey() {
	wrong := remote("wrong")
	_, err := wrong.GetEnvironmentFlags(context.Background())
	refused(err)
	_, err = wrong.GetIdentityFlags(context.Background(), "alice", traits(attributes{"plan": "pro"}))
	refused(err)
	err = wrong.UpdateEnvironment(context.Background())
	var found *flagsmith.FlagsmithAPIError
	check(errors.As(err, &found) && found.ResponseStatusCode == 403, err)

	byDefault := flagsmith.WithDefaultHandler(func(name string) (flagsmith.Flag, error) {
		return flagsmith.Flag{FeatureName: name, IsDefault: true, Value: "default"}, nil
	})
	flags := everybody(remote("wrong", byDefault))
	flag, err := flags.GetFlag("banner")
	must(err)
	equal(flag, flagsmith.Flag{FeatureName: "banner", IsDefault: true, Value: "default"})

	status, body := sdk("flags/", "wrong")
	equal(status, 403)
	equal(body, map[string]any{"detail": "Invalid or missing Environment Key"})
	status, body = sdk("environment-document/", clientKey)
	equal(status, 403)
	equal(body, map[string]any{"detail": "Invalid or missing Environment key"})
}

func refused(err error) {
	check(err != nil && strings.Contains(err.Error(), "403 Forbidden"), err)
}
