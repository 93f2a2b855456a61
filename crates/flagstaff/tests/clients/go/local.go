// What people do with the SDK's own engine.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	flagsmith "github.com/Flagsmith/flagsmith-go-client/v5"
)

// multivariate: variants are about as frequent as their weights, stay with an identity, and are the same locally.
func multivariate() {
	client := remote(clientKey)
	first := colours(client)
	equal(colours(client), first)
	equal(colours(local(serverKey)), first)
	counts := map[any]int{}
	for _, colour := range first {
		counts[colour]++
	}
	// Three standard deviations around 60 blue, 40 green and 100 red of 200.
	check(40 <= counts["blue"] && counts["blue"] <= 80, counts)
	check(22 <= counts["green"] && counts["green"] <= 58, counts)
	check(78 <= counts["red"] && counts["red"] <= 122, counts)

	equal(valueOf(of(client, "someone", attributes{"colour": "blue"}), "colour"), "blue")
}

func colours(source *flagsmith.Client) []any {
	var colours []any
	for number := range 200 {
		colours = append(colours, valueOf(of(source, fmt.Sprint("person-", number), nil), "colour"))
	}
	return colours
}

// offline: a document saved from the server serves an SDK that has no server.
func offline() {
	status, document := sdk("environment-document/", serverKey)
	equal(status, 200)
	file, err := os.CreateTemp("", "flagstaff-*.json")
	must(err)
	must(json.NewEncoder(file).Encode(document))
	must(file.Close())
	handler, err := flagsmith.NewLocalFileHandler(file.Name())
	must(err)
	must(os.Remove(file.Name()))
	withHandler := flagsmith.WithOfflineHandler(handler)
	offline := flagsmith.NewClient("none", quiet(), flagsmith.WithOfflineMode(), withHandler)

	client := remote(serverKey)
	equal(shown(everybody(offline)), shown(everybody(client)))
	named := attributes{"plan": "enterprise", "beta": true}
	for _, identifier := range []string{"frank", "grace", "henry"} {
		equal(shown(of(offline, identifier, named)), shown(of(client, identifier, named)))
	}
	equal(valueOf(of(offline, "alice", nil), "banner"), "Hello Alice")

	// The handler also stands in for a server that cannot be reached.
	unreachable := flagsmith.WithBaseURL("http://127.0.0.1:9/api/v1/")
	standIn := flagsmith.NewClient("whatever", quiet(), unreachable, withHandler)
	equal(valueOf(everybody(standIn), "banner"), "Welcome")
}

// overrides: segments override everybody's state, an identity's own override wins over both.
func overrides() {
	for _, client := range []*flagsmith.Client{remote(clientKey), local(serverKey)} {
		flags := of(client, "alice", attributes{"plan": "pro", "age": 40})
		equal(isOn(flags, "dark-mode"), false)
		equal(valueOf(flags, "banner"), "Hello Alice")
		equal(valueOf(flags, "seats"), 50.0)

		flags = of(client, "frank", attributes{"plan": "pro", "age": 40})
		equal(isOn(flags, "dark-mode"), true)
		equal(valueOf(flags, "banner"), "Nested")
		equal(valueOf(flags, "seats"), 50.0)

		flags = of(client, "grace", attributes{"plan": "enterprise", "age": 40})
		equal(valueOf(flags, "seats"), 500.0)

		flags = of(client, "bob", nil)
		equal(valueOf(flags, "colour"), "green")
	}
	equal(valueOf(of(remote(clientKey), "bob", nil), "page-size"), 100.0)
	// This SDK's engine makes texts of the values that identities have of their own.
	equal(valueOf(of(local(serverKey), "bob", nil), "page-size"), "100")
}

// realtime: a change is announced on the stream, and the SDK fetches it.
func realtime() {
	client := local(serverKey, flagsmith.WithRealtime(), flagsmith.WithRealtimeBaseURL(url))
	equal(valueOf(everybody(client), "banner"), "Welcome")
	waitUntil("a stream", func() bool { return countOf("/stream") != "" })

	changeValue("banner", "Changed")
	waitUntil("the change", func() bool { return valueOf(everybody(client), "banner") == "Changed" })
	changeValue("banner", "Changed again")
	waitUntil("the change", func() bool { return valueOf(everybody(client), "banner") == "Changed again" })
}

// refresh: a change reaches an SDK that evaluates locally when it refreshes, by itself or when told to.
func refresh() {
	byItself := local(serverKey, flagsmith.WithEnvironmentRefreshInterval(100*time.Millisecond))
	whenTold := local(serverKey)
	equal(valueOf(everybody(byItself), "banner"), "Welcome")

	changeValue("banner", "Changed")
	equal(valueOf(everybody(whenTold), "banner"), "Welcome")
	must(whenTold.UpdateEnvironment(context.Background()))
	equal(valueOf(everybody(whenTold), "banner"), "Changed")
	waitUntil("a refresh", func() bool { return valueOf(everybody(byItself), "banner") == "Changed" })
}
