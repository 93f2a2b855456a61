// What one client says, what it is expected to say, and its events.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/open-feature/go-sdk/openfeature"
)

type client struct {
	*openfeature.Client
	mutex  sync.Mutex
	events []event
}

type event struct {
	kind    openfeature.EventType
	details openfeature.EventDetails
}

// open waits for the provider, whether it gets ready or not: a failure is left to evaluations.
func open(name string, provider openfeature.FeatureProvider) *client {
	refused := openfeature.SetNamedProviderAndWait(name, provider)
	made := &client{Client: openfeature.NewClient(name)}
	if refused != nil {
		// This SDK has no events of a provider that never got ready, and cannot say so.
		return made
	}
	for _, kind := range []openfeature.EventType{
		openfeature.ProviderReady, openfeature.ProviderConfigChange,
		openfeature.ProviderStale, openfeature.ProviderError,
	} {
		heard := func(details openfeature.EventDetails) {
			made.mutex.Lock()
			defer made.mutex.Unlock()
			made.events = append(made.events, event{kind, details})
		}
		made.AddHandler(kind, &heard)
	}
	return made
}

func (client *client) forget() {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	client.events = nil
}

// await waits until such an event, which names a flag, has come since it was last told to forget.
func (client *client) await(kind openfeature.EventType, flag string) {
	waitUntil(fmt.Sprint(kind, " ", flag), func() bool {
		client.mutex.Lock()
		defer client.mutex.Unlock()
		return slices.ContainsFunc(client.events, func(event event) bool {
			return event.kind == kind && (flag == "" || slices.Contains(event.details.FlagChanges, flag))
		})
	})
}

func (client *client) text(flag, person string) string {
	who := openfeature.NewEvaluationContext(person, nil)
	value, _ := client.StringValue(context.Background(), flag, "none", who)
	return value
}

func (client *client) waitForBanner(value string) {
	waitUntil(value, func() bool { return client.text("banner", "anna") == value })
}

func (client *client) checkLimit(value int64, reason openfeature.Reason) {
	who := openfeature.NewEvaluationContext("anna", nil)
	details, err := client.IntValueDetails(context.Background(), "internal-limit", -1, who)
	must(err)
	equal(fmt.Sprint(details.Value, details.Reason), fmt.Sprint(value, reason))
}

// placed is who gets what.
func (client *client) placed(flag string) map[string]string {
	found := map[string]string{}
	for number := range 200 {
		person := fmt.Sprint("person-", number)
		found[person] = client.text(flag, person)
	}
	return found
}

// checkShares looks for three standard deviations around 60 blue, 40 green and 100 red of 200.
func checkShares(found map[string]string) {
	counts := map[string]int{}
	for _, colour := range found {
		counts[colour]++
	}
	check(40 <= counts["blue"] && counts["blue"] <= 80, counts)
	check(22 <= counts["green"] && counts["green"] <= 58, counts)
	check(78 <= counts["red"] && counts["red"] <= 122, counts)
}

type answer struct {
	Value   any    `json:"value"`
	Variant string `json:"variant"`
	Reason  string `json:"reason"`
	Error   string `json:"error"`
}

type question struct {
	answer
	Name       string            `json:"name"`
	Flag       string            `json:"flag"`
	Type       string            `json:"type"`
	Key        string            `json:"key"`
	Attributes map[string]any    `json:"attributes"`
	Default    any               `json:"default"`
	Differs    map[string]answer `json:"differs"`
}

// checkCases asks every case at once, so that one look shows all that is wrong.
func (client *client) checkCases(name string) {
	text, err := os.ReadFile(os.Getenv("CASES"))
	must(err)
	var cases []question
	must(json.Unmarshal(text, &cases))
	var wrong []string
	for _, each := range cases {
		actual, expected := shown(client.evaluate(each)), shown(each.expected(name))
		if actual != expected {
			wrong = append(wrong, fmt.Sprintf("%s:\n  actual:   %s\n  expected: %s", each.Name, actual, expected))
		}
	}
	check(len(wrong) == 0, strings.Join(wrong, "\n"))
}

// expected is the common answer, or this client's own where that is known and has a reason.
func (asked question) expected(name string) answer {
	expected := asked.answer
	for whose, other := range asked.Differs {
		if name == whose || strings.HasSuffix(name, "-"+whose) {
			expected = other
		}
	}
	return expected
}

// evaluate gives the answer in the words of cases.json.
func (client *client) evaluate(asked question) answer {
	background := context.Background()
	who := openfeature.NewEvaluationContext(asked.Key, asked.Attributes)
	if asked.Key == "" {
		who = openfeature.NewTargetlessEvaluationContext(asked.Attributes)
	}
	switch asked.Type {
	case "boolean":
		details, _ := client.BooleanValueDetails(background, asked.Flag, asked.Default.(bool), who)
		return said(details.Value, details.EvaluationDetails)
	case "string":
		details, _ := client.StringValueDetails(background, asked.Flag, asked.Default.(string), who)
		return said(details.Value, details.EvaluationDetails)
	case "integer":
		details, _ := client.IntValueDetails(background, asked.Flag, int64(asked.Default.(float64)), who)
		return said(details.Value, details.EvaluationDetails)
	case "float":
		details, _ := client.FloatValueDetails(background, asked.Flag, asked.Default.(float64), who)
		return said(details.Value, details.EvaluationDetails)
	default:
		details, _ := client.ObjectValueDetails(background, asked.Flag, asked.Default, who)
		return said(details.Value, details.EvaluationDetails)
	}
}

func said(value any, details openfeature.EvaluationDetails) answer {
	return answer{value, details.Variant, string(details.Reason), string(details.ErrorCode)}
}

// shown is a text in which numbers are equal however they are held.
func shown(answer answer) string {
	text, err := json.Marshal(answer)
	must(err)
	return string(text)
}
