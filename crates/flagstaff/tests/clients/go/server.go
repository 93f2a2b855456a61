// What every journey needs: where the server is, keys, and how it is changed while a journey runs.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	flagsmith "github.com/Flagsmith/flagsmith-go-client/v5"
)

var (
	url       = variable("SERVER_URL")
	api       = url + "/api/v1/"
	clientKey = variable("CLIENT_KEY")
	serverKey = variable("SERVER_KEY")
)

func variable(name string) string {
	value, is := os.LookupEnv(name)
	check(is, name, "is not set")
	return value
}

// quiet keeps the SDK's log of every request to itself.
func quiet() flagsmith.Option {
	return flagsmith.WithSlogLogger(slog.New(slog.DiscardHandler))
}

func remote(key string, options ...flagsmith.Option) *flagsmith.Client {
	common := []flagsmith.Option{flagsmith.WithBaseURL(api), quiet()}
	return flagsmith.NewClient(key, append(common, options...)...)
}

// local asks for the document once, and again when told to; options may make it more eager.
func local(key string, options ...flagsmith.Option) *flagsmith.Client {
	common := []flagsmith.Option{
		flagsmith.WithLocalEvaluation(context.Background()),
		flagsmith.WithEnvironmentRefreshInterval(time.Hour),
	}
	client := remote(key, append(common, options...)...)
	waitUntil("a document", func() bool {
		_, err := client.GetEnvironmentFlags(context.Background())
		return err == nil
	})
	return client
}

// everybody asks for the flags of nobody in particular.
func everybody(client *flagsmith.Client) flagsmith.Flags {
	flags, err := client.GetEnvironmentFlags(context.Background())
	must(err)
	return flags
}

type attributes map[string]any

func traits(named attributes) []*flagsmith.Trait {
	var traits []*flagsmith.Trait
	for name, value := range named {
		traits = append(traits, &flagsmith.Trait{TraitKey: name, TraitValue: value})
	}
	return traits
}

// of asks for the flags of one identity.
func of(client *flagsmith.Client, identifier string, named attributes) flagsmith.Flags {
	flags, err := client.GetIdentityFlags(context.Background(), identifier, traits(named))
	must(err)
	return flags
}

func isOn(flags flagsmith.Flags, feature string) bool {
	enabled, err := flags.IsFeatureEnabled(feature)
	must(err)
	return enabled
}

// valueOf gives numbers as the SDK does: as float64.
func valueOf(flags flagsmith.Flags, feature string) any {
	value, err := flags.GetFeatureValue(feature)
	must(err)
	return value
}

// shown gives flags in a form that can be compared.
func shown(flags flagsmith.Flags) map[string]any {
	states := map[string]any{}
	for _, flag := range flags.AllFlags() {
		states[flag.FeatureName] = map[string]any{"enabled": flag.Enabled, "value": flag.Value}
	}
	return states
}

// call makes one request without the SDK.
func call(method, path, header, value string, body any) (int, any) {
	sent, err := json.Marshal(body)
	must(err)
	request, err := http.NewRequest(method, api+path, bytes.NewReader(sent))
	must(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(header, value)
	answer, err := http.DefaultClient.Do(request)
	must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(err)
	var found any
	if len(text) > 0 {
		must(json.Unmarshal(text, &found))
	}
	return answer.StatusCode, found
}

// sdk asks the SDK's routes.
func sdk(path, key string) (int, any) {
	return call("GET", path, "X-Environment-Key", key, nil)
}

func admin(method, path string, body any) any {
	member := map[string]any{"email": variable("ADMIN_EMAIL"), "password": variable("ADMIN_PASSWORD")}
	status, login := call("POST", "auth/login/", "Accept", "application/json", member)
	equal(status, 200)
	token := fmt.Sprint("Token ", login.(map[string]any)["key"])
	status, answer := call(method, path, "Authorization", token, body)
	check(status < 300, method, path, status, answer)
	return answer
}

func results(list any) []any {
	return list.(map[string]any)["results"].([]any)
}

// changeValue sets what a feature says to everybody for whom nothing else is said.
func changeValue(feature string, value any) {
	states := "environments/" + clientKey + "/featurestates/"
	found := results(admin("GET", states+"?feature_name="+feature, nil))
	equal(len(found), 1)
	path := fmt.Sprintf("%s%.0f/", states, found[0].(map[string]any)["id"])
	admin("PATCH", path, map[string]any{"feature_state_value": value})
}

// countOf says how many requests to a route the server has answered well, as it says itself.
func countOf(route string) string {
	answer, err := http.Get(url + "/metrics")
	must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "flagstaff_http_requests_total") &&
			strings.Contains(line, route) && strings.Contains(line, "200") {
			return line
		}
	}
	return ""
}

func waitUntil(what string, holds func() bool) {
	end := time.Now().Add(30 * time.Second)
	for !holds() {
		check(time.Now().Before(end), "not within 30 s:", what)
		time.Sleep(20 * time.Millisecond)
	}
}

func check(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprintln(what...))
	}
}

func equal(actual, expected any) {
	check(reflect.DeepEqual(actual, expected), "actual:", actual, "expected:", expected)
}

func must(err error) {
	check(err == nil, err)
}
