"""Jobs, schedules, and the sensors that start runs for landed files and after failed runs."""
