"""Everything Label Studio: its wire, its API, and what keeps both sides equal. See README.md for the layer's law."""
