"""The HTTP door: see README.md."""
