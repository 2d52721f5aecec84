"""The rules: one function for each code."""
