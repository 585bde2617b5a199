"""The map in two dimensions: a first plane, alignment onto the map before, places for new items, drift in training.

Places are (N, 2) float32 within [-1, 1], x to the right and y upward. Everything here is a function of arrays.
"""
