"""The executor that runs steps as Kubernetes jobs or in a shared pod, and retries after preemption."""
