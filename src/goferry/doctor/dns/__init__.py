"""Names for the doctor: one question to one server, Go's rules on top of it, and what can be done about the answers."""
