"""Where module files are kept, and what is known of them."""
