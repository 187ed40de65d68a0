"""The restricted pod-security standard of Kubernetes as a list of what a pod breaks.

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
    """What the restricted standard refuses in a pod or a pod template, each with the container that it is about. None:
    the pod is accepted.
    """
    spec, found = pod["spec"], []
    settings = spec.get("securityContext") or {}
    found += [f"{name} is true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    found += [
        f"volume {volume['name']} is {kind}"
        for volume in spec.get("volumes") or []
        for kind in set(volume) - {"name"} - VOLUMES
    ]
    found += [f"sysctl {one['name']}" for one in settings.get("sysctls") or [] if one["name"] not in SYSCTLS]
    for container in containers(pod):
        found += [f"{container['name']}: {what}" for what in _of_container(container, settings)]
    return found


def _of_container(container: Manifest, pod: Manifest) -> list[str]:
    own, found = container.get("securityContext") or {}, []
    if own.get("privileged"):
        found.append("privileged")
    if own.get("allowPrivilegeEscalation") is not False:
        found.append("allowPrivilegeEscalation is not false")
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        found.append("capabilities are not dropped")
    found += [f"adds capability {name}" for name in capabilities.get("add") or [] if name != "NET_BIND_SERVICE"]
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        found.append("runAsNonRoot is not true")
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        found.append("runAsUser is 0")
    if (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type") not in (
        "RuntimeDefault",
        "Localhost",
    ):
        found.append("seccompProfile is not RuntimeDefault")
    if own.get("procMount", "Default") != "Default":
        found.append("procMount")
    found += [f"host port {port['hostPort']}" for port in container.get("ports") or [] if port.get("hostPort")]
    return found
