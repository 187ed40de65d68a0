"""Raw data as a stage, and the scan of the landing on which it and the sensor rely."""
