"""What the Makefile calls: the main job on this machine, the simulator, and the documents that are generated from the
code.
"""
