"""What every benchmark uses: processes that are timed, folders that are thrown away, results and their table."""
