"""Operation of the pipeline in production: failures, notifications, reports, retention and the doctor.

Nothing here decides about data or models.
"""
