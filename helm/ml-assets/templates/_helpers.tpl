{{- define "ml-assets.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: ml-assets
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "ml-assets.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{/* Restricted pod security. */}}
{{- define "ml-assets.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "ml-assets.containerSecurity" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Off GPU nodes, which are for training, by the labels of ml_assets/core/kubernetes/pod_spec.py. */}}
{{- define "ml-assets.offGpuNodes" -}}
{{- $labels := list "nvidia.com/gpu.present" "karpenter.k8s.aws/instance-gpu-count" "cloud.google.com/gke-accelerator" "kubernetes.azure.com/accelerator" "k8s.amazonaws.com/accelerator" "accelerator" -}}
nodeAffinity:
  {{- if eq .Values.avoidGpuNodes "require" }}
  requiredDuringSchedulingIgnoredDuringExecution:
    nodeSelectorTerms:
      - matchExpressions:
          {{- range $labels }}
          - {key: {{ . }}, operator: DoesNotExist}
          {{- end }}
  {{- else }}
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      preference:
        matchExpressions:
          {{- range $labels }}
          - {key: {{ . }}, operator: DoesNotExist}
          {{- end }}
  {{- end }}
{{- end -}}

{{- define "ml-assets.environment" -}}
- configMapRef:
    name: ml-assets-environment
{{- with .Values.s3Secret }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- end -}}

{{/* A model's name in characters that Kubernetes allows in names. */}}
{{- define "ml-assets.scoring.name" -}}
{{ printf "ml-assets-scoring-%s" (. | replace "_" "-") }}
{{- end -}}

{{/* The secret with the key of the scoring service; empty when it needs none. */}}
{{- define "ml-assets.apiKeySecret" -}}
{{- if .Values.scoring.requireApiKey -}}
{{ .Values.scoring.apiKeySecret | default "ml-assets-scoring-api-key" }}
{{- end -}}
{{- end -}}

{{/* Egress of a part, from a list of names in .Values.network. A rule without peers would allow every address, so there is none for a target without. */}}
{{- define "ml-assets.egress" -}}
{{- $network := index . 0 -}}
{{- range $name := index . 1 }}
{{- $target := index $network $name }}
{{- if $target.peers }}
- to:
    {{- toYaml $target.peers | nindent 4 }}
  ports:
    {{- range $target.ports | default (list $target.port) }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* "true" where the cluster has admission policies in CEL. */}}
{{- define "ml-assets.hasAdmissionPolicies" -}}
{{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version -}}
true
{{- end -}}
{{- end -}}
