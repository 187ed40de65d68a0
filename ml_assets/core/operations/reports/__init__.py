"""The daily report of a model: its data, its verdict, and its HTML page."""
