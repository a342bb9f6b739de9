"""The rules of Go modules: values in, values out, with the names of golang.org/x/mod, so Go people find their way."""
