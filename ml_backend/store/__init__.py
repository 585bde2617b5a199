"""What is remembered: the SQLite database and the artifact files. The law of this layer is in README.md beside this
file.
"""
