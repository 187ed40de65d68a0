"""The HTTP server around the application: connections, descriptors, deadlines, and the start of uvicorn. The content of
requests is left to the application.
"""
