"""The checks of `doctor`: each takes measured values and returns a diagnosis with its remedy.

The probes that measure are in `resources/probes`.
"""
