"""The demonstration of this repository: simulated files of fraud_detection. The wheel does not contain it."""
