"""Broken networks and small real peers on loopback, for tests and for seeing a fault with one's own eyes."""
