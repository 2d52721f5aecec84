"""One module for each package, named as on PyPI."""
