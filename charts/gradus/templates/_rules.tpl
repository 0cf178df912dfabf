{{/* What gradus may do where pipelines are. No rule is about Secrets. */}}
{{- define "gradus.rules.pipelines" -}}
# What people want and say is seen; of what was said, only the status is written.
- apiGroups: [gradus.dev]
  resources: [pipelines, promotions, approvals, checks, holds]
  verbs: [list, watch]
# Keeps a pipeline until its proposals are closed; a policy lets it patch nothing but finalizers.
- apiGroups: [gradus.dev]
  resources: [pipelines]
  verbs: [patch]
- apiGroups: [gradus.dev]
  resources: [pipelines/status, promotions/status, approvals/status, checks/status, holds/status]
  verbs: [patch]
# Who is told of what, and what was told.
- apiGroups: [gradus.dev]
  resources: [notifications]
  verbs: [get, list, watch]
- apiGroups: [gradus.dev]
  resources: [notifications/status]
  verbs: [patch]
# Of the promotions that are over, the oldest are cleared away.
- apiGroups: [gradus.dev]
  resources: [promotions]
  verbs: [delete]
# Pipelines of the older kind, for the webhook: as they are now, and what waits for a yes.
- apiGroups: [pipelines.weave.works]
  resources: [pipelines]
  verbs: [get, list, watch]
- apiGroups: [pipelines.weave.works]
  resources: [pipelines/status]
  verbs: [patch]
# Where other clusters are described.
- apiGroups: [gitops.weave.works]
  resources: [gitopsclusters]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [get, create, patch]
{{- end }}

{{/* What gradus may do where applications run. */}}
{{- define "gradus.rules.targets" -}}
# What runs, and what says whether it works. What is not installed does no harm here.
- apiGroups: [helm.toolkit.fluxcd.io]
  resources: [helmreleases]
  verbs: [get, list, watch]
- apiGroups: [kustomize.toolkit.fluxcd.io]
  resources: [kustomizations]
  verbs: [get, list, watch]
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [gitrepositories, ocirepositories, buckets, helmcharts, externalartifacts]
  verbs: [get, list, watch]
- apiGroups: [argoproj.io]
  resources: [applications, rollouts]
  verbs: [get, list, watch]
- apiGroups: [flagger.app]
  resources: [canaries]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, list, watch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
{{- if .Values.controller.poke }}
# Asks them to look when a promotion landed. With the verb of ours a policy lets it set that annotation alone.
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [gitrepositories]
  verbs: [patch, poke]
- apiGroups: [kustomize.toolkit.fluxcd.io]
  resources: [kustomizations]
  verbs: [patch, poke]
- apiGroups: [argoproj.io]
  resources: [applications]
  verbs: [patch, poke]
{{- end }}
{{- end }}
