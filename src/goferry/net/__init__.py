"""One network stack, traced; used alike by the server, the doctor and the bench."""
