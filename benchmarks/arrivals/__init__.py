"""Tasks that come after a pool was made."""
