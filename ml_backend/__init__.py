"""Lantern: a Label Studio ML backend that labels with a team."""
