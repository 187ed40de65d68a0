"""Doctor checks: rules that map measured values to a diagnosis with its remedy.

The probes that measure are in `resources/probes`; `cli/doctor/checks.py` lists each rule with its probe.
"""
