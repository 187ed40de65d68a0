{{/* What the schema cannot say about values: two of them that contradict each other, and credentials. Each message names the value and what to do. */}}
{{- define "ml-assets.validate" -}}
{{- $network := .Values.network -}}
{{- if gt (int64 .Values.scoring.minReplicas) (int64 .Values.scoring.maxReplicas) -}}
{{- fail (printf "scoring.minReplicas (%d) is greater than scoring.maxReplicas (%d)" (int64 .Values.scoring.minReplicas) (int64 .Values.scoring.maxReplicas)) -}}
{{- end -}}
{{- if hasKey .Values.environment "MLFLOW_TRACKING_URI" -}}
{{- fail "environment.MLFLOW_TRACKING_URI: remove it. The chart sets it to its own MLflow, or with mlflow.enabled=false to mlflow.uri" -}}
{{- end -}}
{{- if and .Values.mlflow.enabled .Values.mlflow.uri -}}
{{- fail "mlflow.uri is for an MLflow elsewhere: set mlflow.enabled to false, or remove it" -}}
{{- end -}}
{{- if not .Values.mlflow.enabled -}}
{{- if not .Values.mlflow.uri -}}
{{- fail "mlflow.uri: with mlflow.enabled=false it has to name the MLflow elsewhere, as https://mlflow.example.com" -}}
{{- end -}}
{{- if and $network.enabled (not $network.mlflow.peers) -}}
{{- fail "network.mlflow.peers: name the address of mlflow.uri, or no pod may connect to it" -}}
{{- end -}}
{{- end -}}
{{- range $part, $clients := dict "mlflow" "mlflowClients" "scoring" "scoringClients" -}}
{{- $values := index $.Values $part -}}
{{- range $kind, $host := dict "ingress" "host" "httpRoute" "hostname" -}}
{{- $route := index $values $kind -}}
{{- if $route.enabled -}}
{{- if not (index $route $host) -}}
{{- fail (printf "%s.%s.%s: name the host" $part $kind $host) -}}
{{- end -}}
{{- if and (eq $part "scoring") (gt (len $values.models) 1) (not (contains "{model}" (index $route $host))) -}}
{{- fail (printf "scoring.%s.%s needs {model} in it, because each model has a host of its own" $kind $host) -}}
{{- end -}}
{{- if and $network.enabled (not (index $network $clients)) -}}
{{- fail (printf "network.%s: name the pods of the ingress controller or gateway, or it may not connect" $clients) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.mlflow.httpRoute.enabled (not .Values.mlflow.httpRoute.parentRefs) -}}{{- fail "mlflow.httpRoute.parentRefs: name the gateway" -}}{{- end -}}
{{- if and .Values.scoring.httpRoute.enabled (not .Values.scoring.httpRoute.parentRefs) -}}{{- fail "scoring.httpRoute.parentRefs: name the gateway" -}}{{- end -}}
{{- range $part, $image := dict "image" .Values.image "mlflow.image" .Values.mlflow.image "scoring.image" .Values.scoring.image -}}
{{- if eq (get $image "tag") "latest" -}}{{- fail (printf "%s.tag: name a version, because `latest` may be another one on each node" $part) -}}{{- end -}}
{{- end -}}
{{- range $field, $secret := dict "s3Secret" .Values.s3Secret "mlflow.databaseSecret" .Values.mlflow.databaseSecret "dagster.postgresqlSecret" .Values.dagster.postgresqlSecret -}}
{{- /* The value may be a credential, so it is not repeated. */ -}}
{{- if and $secret (not (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" $secret)) -}}{{- fail (printf "%s: write the name of a secret, not what is in it" $field) -}}{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.environment -}}
{{- include "ml-assets.refuseSecretName" (list "environment" $name) -}}
{{- end -}}
{{- range $part := list "mlflow" "scoring" -}}
{{- range $variable := (index $.Values $part).extraEnv -}}
{{- if $variable.value -}}
{{- include "ml-assets.refuseSecretName" (list (printf "%s.extraEnv" $part) $variable.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values -}}
{{- include "ml-assets.refuseSecretValues" (list $name $value) -}}
{{- end -}}
{{- end -}}

{{/* The names of ml_assets/defs/variables.py, and the database; variables that end with _FILE name a file. */}}
{{- define "ml-assets.refuseSecretName" -}}
{{- $pattern := "(?i)PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|(^|_)(API|ACCESS|PRIVATE)_?KEY(_|$)|^ML_ASSETS_(NOTIFY|DATABASE|CAPTURE_KEY)$|^OTEL_EXPORTER_OTLP_.*HEADERS$|^OPENLINEAGE__.*AUTH" -}}
{{- $name := index . 1 -}}
{{- if and (regexMatch $pattern $name) (not (hasSuffix "_FILE" $name)) -}}
{{- fail (printf "%s.%s holds a credential: put it into a secret. README.md beside the charts has the secrets, and extraEnv with valueFrom reads one of your own" (index . 0) $name) -}}
{{- end -}}
{{- end -}}

{{/* Passwords in addresses, keys of AWS, tokens of GitHub, GitLab, Slack and OpenAI, JSON web tokens, private keys. */}}
{{- define "ml-assets.refuseSecretValues" -}}
{{- $path := index . 0 -}}
{{- $value := index . 1 -}}
{{- if kindIs "map" $value -}}
{{- range $name, $inner := $value -}}{{- include "ml-assets.refuseSecretValues" (list (printf "%s.%s" $path $name) $inner) -}}{{- end -}}
{{- else if kindIs "slice" $value -}}
{{- range $number, $inner := $value -}}{{- include "ml-assets.refuseSecretValues" (list (printf "%s[%d]" $path $number) $inner) -}}{{- end -}}
{{- else if kindIs "string" $value -}}
{{- if regexMatch "://[^/?#@[:space:]]*:[^/?#@[:space:]]+@|(?i)[?&](password|token|api_?key|secret)=|(^|[^A-Za-z0-9])((AKIA|ASIA)[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{20}|github_pat_|glpat-|xox[abeprs]-|sk-[A-Za-z0-9_-]{20}|eyJ[A-Za-z0-9_-]{10,}[.]eyJ)|-----BEGIN [A-Z ]*PRIVATE KEY|hooks[.]slack[.]com/services/" $value -}}
{{- fail (printf "%s: the value holds a credential. Put it into a secret; README.md beside the charts lists them" $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
