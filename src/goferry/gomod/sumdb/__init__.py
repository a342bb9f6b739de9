"""The checksum database: signed notes, tree proofs, tiles, and a client that asks and judges."""
