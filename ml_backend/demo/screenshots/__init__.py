"""`make screenshots`: the pictures of README and docs, of the demo's Label Studio and of its map as people see them."""
