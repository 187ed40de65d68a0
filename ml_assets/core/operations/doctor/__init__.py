"""Doctor checks: rules that take measured values and return a diagnosis with its remedy.

The probes that measure are in `resources/probes`; `cli/doctor_checks.py` lists each rule with its probe.
"""
