"""The pure core: functions of frames and numbers; imports no orchestrator and no client of an outside system."""
