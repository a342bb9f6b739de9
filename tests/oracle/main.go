// Command goferryoracle answers questions about the rules of Go modules with the code of the go command itself.
//
// It is built with -overlay as cmd/go/goferryoracle inside GOROOT/src/cmd (see ../oracle.py), so it may import the
// vendored golang.org/x/mod and cmd/go's internal packages, and needs no network and no write access to GOROOT.
//
// One JSON object per input line, one per output line, in order:
//
//	{"f": "semver.Compare", "a": ["v1.0.0", "v1.2.0"]}   →   {"r": -1}
//	{"f": "module.CheckPath", "a": ["x"]}                →   {"e": "malformed module path \"x\": …"}
//
// A function in the table below is called with its arguments decoded from JSON ([]byte is base64, a module.Version is
// {"Path", "Version"}). One result is "r" itself, several are a list; a last result of type error becomes "e", and so
// does a panic. To ask for one more function, add it to the table; when its types do not fit JSON, give it an adapter
// in adapters.go.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

type question struct {
	F string            `json:"f"`
	A []json.RawMessage `json:"a"`
}

type answer struct {
	R any    `json:"r"`
	E string `json:"e,omitempty"`
}

var errorType = reflect.TypeFor[error]()

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	decoder := json.NewDecoder(in)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for decoder.More() {
		var q question
		if err := decoder.Decode(&q); err != nil {
			fmt.Fprintln(os.Stderr, "goferryoracle: bad question:", err)
			os.Exit(2)
		}
		if err := encoder.Encode(ask(q)); err != nil {
			fmt.Fprintln(os.Stderr, "goferryoracle: bad answer to", q.F, err)
			os.Exit(2)
		}
	}
}

func ask(q question) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{E: fmt.Sprint("panic: ", p)}
		}
	}()
	f, ok := table[q.F]
	if !ok {
		return answer{E: "goferryoracle: no function " + q.F}
	}
	return call(reflect.ValueOf(f), q.A)
}

// call decodes the arguments into the parameter types of f, calls it and packs its results.
func call(f reflect.Value, raw []json.RawMessage) answer {
	t := f.Type()
	if len(raw) != t.NumIn() {
		return answer{E: fmt.Sprintf("goferryoracle: %d arguments, want %d", len(raw), t.NumIn())}
	}
	args := make([]reflect.Value, len(raw))
	for i := range raw {
		arg := reflect.New(t.In(i))
		if err := json.Unmarshal(raw[i], arg.Interface()); err != nil {
			return answer{E: fmt.Sprintf("goferryoracle: argument %d: %v", i, err)}
		}
		args[i] = arg.Elem()
	}
	results := f.Call(args)
	var a answer
	if n := len(results); n > 0 && t.Out(n-1) == errorType {
		if err, _ := results[n-1].Interface().(error); err != nil {
			a.E = err.Error()
			if a.E == "" {
				a.E = "error without text"
			}
		}
		results = results[:n-1]
	}
	switch len(results) {
	case 0:
	case 1:
		a.R = results[0].Interface()
	default:
		list := make([]any, len(results))
		for i, r := range results {
			list[i] = r.Interface()
		}
		a.R = list
	}
	return a
}
