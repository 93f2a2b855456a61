// What the SDK's own engine says, beside the server and without it; the tests that run this compare.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	flagsmith "github.com/Flagsmith/flagsmith-go-client/v5"
)

// identity is one that is asked about; alone it comes with a document of its own.
type identity struct {
	Identifier string     `json:"identifier"`
	Traits     attributes `json:"traits"`
	Document   string     `json:"document"`
}

type environment struct {
	ServerKey  string     `json:"server_key"`
	Identities []identity `json:"identities"`
}

func localEqualsRemote() {
	var environments []environment
	read(&environments)
	answers := [][]any{}
	for _, asked := range environments {
		client, engine := remote(asked.ServerKey), local(asked.ServerKey)
		found := []any{}
		for _, who := range asked.Identities {
			named := who.named()
			found = append(found, map[string]any{
				"local":  evaluated(engine, who),
				"sent":   shown(of(client, who.Identifier, named)),
				"stored": shown(of(client, who.Identifier, nil)),
			})
		}
		answers = append(answers, found)
	}
	write(answers)
}

func alone() {
	var cases []identity
	read(&cases)
	answers := []any{}
	for _, one := range cases {
		handler, err := flagsmith.NewLocalFileHandler(one.Document)
		must(err)
		engine := flagsmith.NewClient(
			"none", quiet(), flagsmith.WithOfflineMode(), flagsmith.WithOfflineHandler(handler))
		answers = append(answers, evaluated(engine, one))
	}
	write(answers)
}

// evaluated is what the SDK's own engine says, or how it fails.
func evaluated(engine *flagsmith.Client, who identity) (answer any) {
	defer func() {
		if problem := recover(); problem != nil {
			answer = map[string]any{"error": fmt.Sprint("panic: ", problem)}
		}
	}()
	flags, err := engine.GetIdentityFlags(context.Background(), who.Identifier, traits(who.named()))
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return shown(flags)
}

// named gives traits the types that a program would have them in.
func (who identity) named() attributes {
	named := attributes{}
	for name, value := range who.Traits {
		named[name] = value
		if number, is := value.(json.Number); is {
			if whole, err := number.Int64(); err == nil {
				named[name] = int(whole)
			} else {
				fraction, err := number.Float64()
				must(err)
				named[name] = fraction
			}
		}
	}
	return named
}

func read(into any) {
	text, err := os.ReadFile(variable("CASES"))
	must(err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	must(decoder.Decode(into))
}

func write(answers any) {
	text, err := json.Marshal(answers)
	must(err)
	must(os.WriteFile(variable("ANSWERS"), text, 0o644))
}
