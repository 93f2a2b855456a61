// The journeys of the Go SDK, one for each name on the command line.
package main

import (
	"fmt"
	"os"
)

var journeys = map[string]func(){
	"alone":               alone,
	"analytics":           analytics,
	"environment_flags":   environmentFlags,
	"identity_flags":      identityFlags,
	"local_equals_remote": localEqualsRemote,
	"multivariate":        multivariate,
	"offline":             offline,
	"overrides":           overrides,
	"realtime":            realtime,
	"refresh":             refresh,
	"transient":           transient,
	"wrong_key":           wrongKey,
}

func main() {
	journey, known := journeys[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "no journey", os.Args[1])
		os.Exit(1)
	}
	journey()
}
