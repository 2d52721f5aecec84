"""What things cost, as figures of one run beside each other."""
