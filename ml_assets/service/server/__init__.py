"""The HTTP server around the application: connections, descriptors, deadlines, and the start of uvicorn. What a request
means is left to the application.
"""
