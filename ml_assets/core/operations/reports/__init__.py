"""The daily report of a model: its data, its verdict, and the HTML page that shows it."""
