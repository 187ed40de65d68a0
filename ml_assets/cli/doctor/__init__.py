"""The doctor: its checks, the probes that measure their arguments, and what the probes look at."""
