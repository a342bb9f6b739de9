"""ASGI in front of the module proxy."""
