"""`make demo`: a real Label Studio and Lantern side by side, two projects, a handful of labels, and what came of them.

The only place that starts and stops a Label Studio; the end-to-end tests use it too.
"""
