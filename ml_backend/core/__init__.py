"""Pure maths: tensors in, tensors out. See README.md beside this file for the layer's law."""
