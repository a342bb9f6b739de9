# Figures and conformance: included by the Makefile. Both need `go`; bench says which rows it could not run.

.PHONY: bench bench-quick conformance

bench: venv ## Measure every demand beside the peers (BENCH="--only serve,cold" chooses)
	.venv/bin/python -m bench $(BENCH)

bench-quick: venv ## The same with few rounds
	.venv/bin/python -m bench --quick $(BENCH)

conformance: venv ## Run cmd/go's own script tests through goferry (CONFORMANCE="--go PATH" chooses the Go tree)
	.venv/bin/python tools/conformance.py $(CONFORMANCE)
