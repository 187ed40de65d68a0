"""The executor of production, which runs steps in Kubernetes jobs or in the pod of their run. The manifests of pods are
in `core/kubernetes`.
"""
