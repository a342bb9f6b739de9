"""The rules of Go modules: values in, values out. Names follow golang.org/x/mod, so Go people find their way at sight."""
