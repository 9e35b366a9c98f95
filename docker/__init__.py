"""What runs the image, and `make run`: a package, for PyPI has one that is called docker, too."""
