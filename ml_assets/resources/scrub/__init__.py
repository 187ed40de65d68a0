"""The scrub: reading everything that is stored to find what is damaged. It changes nothing; remedies are elsewhere."""
