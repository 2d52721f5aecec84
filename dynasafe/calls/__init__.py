"""What a call does, without I/O: requests, batches, pages, transactions."""
