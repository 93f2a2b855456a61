// Somebody who changes flags and restarts the server: the test that runs this, told by lines of standard output.
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"time"
)

var answers = bufio.NewReader(os.Stdin)

// ask has something done.
func ask(command string) {
	fmt.Println(command)
	line, err := answers.ReadString('\n')
	must(err)
	equal(line, "done\n")
}

// change takes the value in JSON.
func change(feature, value string) {
	ask("change " + feature + " " + value)
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
