// Checks a chart with Helm's own engine: what `helm lint` and `helm template` do, without the rest of Helm, whose
// modules cannot be had everywhere.
//
// usage: flagstaff-helm render CHART VALUES.yaml      prints what comes out, after linting it
//
//	flagstaff-helm every CHART VALUES.yaml…      fails for a value of the chart that none of these files sets,
//	                                             or that changes nothing of what comes out
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

func main() {
	if len(os.Args) < 4 {
		fail("usage: flagstaff-helm render|every CHART VALUES.yaml…")
	}
	path, files := os.Args[2], os.Args[3:]
	loaded, err := loader.Load(path)
	check(err)
	switch os.Args[1] {
	case "render":
		values, err := chartutil.ReadValuesFile(files[0])
		check(err)
		linter := lint.All(path, values, "flags", true)
		for _, message := range linter.Messages {
			fmt.Fprintln(os.Stderr, message.Error())
		}
		if linter.HighestSeverity >= support.WarningSev {
			os.Exit(1)
		}
		text, err := render(loaded, values)
		check(err)
		fmt.Print(text)
	case "every":
		every(loaded, files)
	default:
		fail("neither `render` nor `every`: " + os.Args[1])
	}
}

// What comes out for these values, in the order of the files.
func render(loaded *chart.Chart, values chartutil.Values) (string, error) {
	release := chartutil.ReleaseOptions{Name: "shop", Namespace: "flags", Revision: 1, IsInstall: true}
	rendering, err := chartutil.ToRenderValues(loaded, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(loaded, rendering)
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var text strings.Builder
	for _, name := range names {
		if strings.TrimSpace(files[name]) != "" && !strings.HasSuffix(name, "NOTES.txt") {
			fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", name, files[name])
		}
	}
	return text.String(), nil
}

// Takes each value out of the files that set it, and insists that something else comes out then.
func every(loaded *chart.Chart, files []string) {
	missing := 0
	for _, path := range leaves(loaded.Values, nil) {
		used := false
		for _, file := range files {
			values, err := chartutil.ReadValuesFile(file)
			check(err)
			with, err := render(loaded, values)
			check(err)
			if take(values, path) {
				without, err := render(loaded, values)
				used = used || err != nil || with != without
			}
		}
		if !used {
			missing++
			fmt.Fprintln(os.Stderr, "value `"+strings.Join(path, ".")+"` is set nowhere, or changes nothing")
		}
	}
	if missing > 0 {
		os.Exit(1)
	}
}

// Paths of all values that have none below them.
func leaves(values map[string]any, above []string) [][]string {
	var found [][]string
	for name, value := range values {
		path := append(append([]string{}, above...), name)
		below, isTable := value.(map[string]any)
		if isTable && len(below) > 0 {
			found = append(found, leaves(below, path)...)
		} else {
			found = append(found, path)
		}
	}
	sort.Slice(found, func(i, j int) bool { return strings.Join(found[i], ".") < strings.Join(found[j], ".") })
	return found
}

// Takes one value out; false when it is not there.
func take(values map[string]any, path []string) bool {
	value, isThere := values[path[0]]
	if !isThere {
		return false
	}
	if len(path) == 1 {
		delete(values, path[0])
		return true
	}
	below, isTable := value.(map[string]any)
	if !isTable {
		return false
	}
	return take(below, path[1:])
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "error: "+message)
	os.Exit(1)
}
