"""The async shell: the only part that does I/O, reads a clock or draws random numbers."""
