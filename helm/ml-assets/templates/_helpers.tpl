{{/* The prefix of all names: the release's name, with that of the chart unless the release's has it. */}}
{{- define "ml-assets.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* A name of at most 63 characters; a longer one ends with its hash. */}}
{{- define "ml-assets.shortened" -}}
{{- if gt (len .) 63 -}}
{{ printf "%s-%s" (trunc 52 . | trimSuffix "-") (sha256sum . | trunc 8) }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{- define "ml-assets.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: ml-assets
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Image of a workload: that of all parts, with what the workload's own values replace. A digest counts instead of the tag that it belongs to. */}}
{{- define "ml-assets.image" -}}
{{- $root := index . 0 -}}
{{- $own := (index . 1).image -}}
{{- $image := mergeOverwrite (deepCopy $root.Values.image) $own -}}
{{- if and (or $own.repository $own.tag) (not $own.digest) }}{{ $_ := set $image "digest" "" }}{{ end -}}
image: {{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag }}{{ end }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end -}}

{{/* Name of the account of a part; see serviceAccounts. */}}
{{- define "ml-assets.account" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- $own := dict "dagster" $root.Values.dagster.release "runs" (include "ml-assets.fullname" $root) -}}
{{ (index $root.Values.serviceAccounts $part).name | default (get $own $part) | default (printf "%s-%s" (include "ml-assets.fullname" $root) $part) }}
{{- end -}}

{{/* A quantity as a string, from a number or a string. */}}
{{- define "ml-assets.quantities" -}}
{{- range $name, $quantity := . }}
{{ $name }}: {{ if kindIs "string" $quantity }}{{ $quantity | quote }}{{ else if eq (float64 $quantity) (floor $quantity) }}{{ int64 $quantity | toString | quote }}{{ else }}{{ $quantity | toString | quote }}{{ end }}
{{- end }}
{{- end -}}

{{- define "ml-assets.resources" -}}
requests: {{- include "ml-assets.quantities" .requests | indent 2 }}
limits: {{- include "ml-assets.quantities" .limits | indent 2 }}
{{- end -}}

{{/* Metadata of the pods of a workload, from its own labels and its values: the own labels win, because selectors need them. The version of the chart
is left out: a new one would restart pods that do not change. */}}
{{- define "ml-assets.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $workload := index . 1 -}}
labels: {{- merge (index . 2) (omit (fromYaml (include "ml-assets.labels" $root)) "helm.sh/chart") $workload.podLabels | toYaml | nindent 2 }}
annotations:
  checksum/environment: {{ include "ml-assets.environmentData" $root | sha256sum }}
  {{- with $workload.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Where the pods of a workload run: its values are added to what keeps it off GPU nodes and to its default affinity, and replace the same fields. */}}
{{- define "ml-assets.placement" -}}
{{- $root := index . 0 -}}
{{- $workload := index . 1 -}}
priorityClassName: {{ $workload.priorityClassName }}
affinity: {{- mergeOverwrite (fromYaml (include "ml-assets.offGpuNodes" $root)) (index . 2) $workload.affinity | toYaml | nindent 2 }}
{{- with $workload.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $workload.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Restricted pod security. */}}
{{- define "ml-assets.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.podSecurityContext }}
{{ toYaml . }}
{{- end }}
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

{{/* The environment of all parts. Null removes a variable that another values file sets. */}}
{{- define "ml-assets.environmentData" -}}
{{- $data := dict "MLFLOW_TRACKING_URI" (include "ml-assets.mlflow.uri" .) -}}
{{- range $name, $value := .Values.environment -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $data $name $value -}}{{- end -}}
{{- end -}}
{{ toYaml $data }}
{{- end -}}

{{- define "ml-assets.environment" -}}
- configMapRef:
    name: {{ include "ml-assets.fullname" . }}-environment
{{- with .Values.s3Secret }}
- secretRef:
    name: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Name of what serves a model, in characters that Kubernetes allows in names. */}}
{{- define "ml-assets.scoring.name" -}}
{{ include "ml-assets.shortened" (printf "%s-scoring-%s" (include "ml-assets.fullname" (index . 0)) (index . 1 | replace "_" "-")) }}
{{- end -}}

{{/* The secret with the key of the scoring service; empty when it needs none. */}}
{{- define "ml-assets.apiKeySecret" -}}
{{- if .Values.scoring.requireApiKey -}}
{{ .Values.scoring.apiKeySecret | default (printf "%s-scoring-api-key" (include "ml-assets.fullname" .)) }}
{{- end -}}
{{- end -}}

{{/* Address of MLflow: the chart's own, or one elsewhere. */}}
{{- define "ml-assets.mlflow.uri" -}}
{{- if .Values.mlflow.enabled -}}
http://{{ include "ml-assets.fullname" . }}-mlflow:5000
{{- else -}}
{{ .Values.mlflow.uri }}
{{- end -}}
{{- end -}}

{{/* Egress to MLflow. */}}
{{- define "ml-assets.mlflow.egress" -}}
{{- if .Values.mlflow.enabled -}}
- to:
    - podSelector: {matchLabels: {ml-assets/part: mlflow}}
  ports:
    - {protocol: TCP, port: 5000}
{{- else -}}
{{- include "ml-assets.egress" (list .Values.network (list "mlflow")) | trim }}
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
