"""The scrub: reading all stored files to find damage. It changes nothing; repairs are elsewhere."""
