// Command lookup asks Go's own resolver for each name of its command line and prints one JSON line for each.
package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"time"
)

type answer struct {
	Addresses []string
	Error     string
	Seconds   float64
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, name := range os.Args[1:] {
		start := time.Now()
		addresses, err := net.DefaultResolver.LookupHost(context.Background(), name)
		found := answer{Addresses: addresses, Seconds: time.Since(start).Seconds()}
		if err != nil {
			found.Error = err.Error()
		}
		out.Encode(found)
	}
}
