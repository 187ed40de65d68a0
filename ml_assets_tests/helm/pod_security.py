"""The restricted pod-security standard of Kubernetes, as a list of the violations of a pod.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from ml_assets_tests.helm.charts import Manifest, containers

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
}


def violations(pod: Manifest) -> list[str]:
    """List what the restricted standard refuses in a pod or pod template, with the container; empty if accepted."""
    spec, problems = pod["spec"], []
    settings = spec.get("securityContext") or {}
    problems += [f"{name} is true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    problems += [
        f"volume {volume['name']} is {kind}"
        for volume in spec.get("volumes") or []
        for kind in set(volume) - {"name"} - VOLUMES
    ]
    problems += [
        f"sysctl {sysctl['name']}" for sysctl in settings.get("sysctls") or [] if sysctl["name"] not in SYSCTLS
    ]
    for container in containers(pod):
        problems += [f"{container['name']}: {violation}" for violation in _violations_of_container(container, settings)]
    return problems


def _violations_of_container(container: Manifest, pod: Manifest) -> list[str]:
    own, problems = container.get("securityContext") or {}, []
    if own.get("privileged"):
        problems.append("privileged")
    if own.get("allowPrivilegeEscalation") is not False:
        problems.append("allowPrivilegeEscalation is not false")
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        problems.append("capabilities are not dropped")
    problems += [f"adds capability {name}" for name in capabilities.get("add") or [] if name != "NET_BIND_SERVICE"]
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        problems.append("runAsNonRoot is not true")
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        problems.append("runAsUser is 0")
    if (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type") not in (
        "RuntimeDefault",
        "Localhost",
    ):
        problems.append("seccompProfile is not RuntimeDefault")
    if own.get("procMount", "Default") != "Default":
        problems.append("procMount")
    problems += [f"host port {port['hostPort']}" for port in container.get("ports") or [] if port.get("hostPort")]
    return problems
