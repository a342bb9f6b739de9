"""Where modules come from."""
