"""What starts runs: jobs, schedules, and the sensors for arrived files and failed runs."""
