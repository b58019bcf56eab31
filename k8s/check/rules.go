package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ByHand are the Secrets that an operator makes; k8s/README.md says how. The last one is made by
// k8s/cockroachdb/base, for the Jobs beside it.
var ByHand = []string{"stockyard-database", "cockroachdb-ca", "cockroachdb-backup", "cockroachdb-client-root"}

// Rules names everything by which what is run could be lost, harm others, or not start.
func Rules(objects []*Object) (broken []string) {
	for _, o := range objects {
		tell := func(format string, args ...any) {
			broken = append(broken, o.String()+": "+fmt.Sprintf(format, args...))
		}
		if o.Kind != "Namespace" && o.Metadata.Namespace != "stockyard" {
			tell("is in namespace %q", o.Metadata.Namespace)
		}
		switch o.Kind {
		case "Deployment", "StatefulSet":
			stays(o, objects, tell)
			pod(o, objects, tell)
		case "Job":
			pod(o, objects, tell)
		case "PodDisruptionBudget", "NetworkPolicy", "Service":
			if !slices.ContainsFunc(objects, func(w *Object) bool { return o.selects(w) }) {
				tell("selects nothing")
			}
		case "HorizontalPodAutoscaler":
			if find(objects, o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name) == nil {
				tell("scales %s %s, which isn't there", o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name)
			}
		}
	}
	return broken
}

type teller func(format string, args ...any)

// stays is for what runs for long: it must be known to be well, be moved one by one, and be in several zones.
func stays(o *Object, objects []*Object, tell teller) {
	for _, c := range o.Spec.Template.Spec.Containers {
		for name, probe := range map[string]*Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
			if probe == nil || probe.HTTPGet.Path == "" {
				tell("container %s has no %s probe", c.Name, name)
			} else if !slices.ContainsFunc(c.Ports, func(p struct {
				Name string `json:"name"`
			},
			) bool {
				return p.Name == probe.HTTPGet.Port
			}) {
				tell("the %s probe of container %s asks at port %v, which has no such name", name, c.Name, probe.HTTPGet.Port)
			}
		}
	}
	for _, kind := range []string{"PodDisruptionBudget", "NetworkPolicy", "Service"} {
		if !slices.ContainsFunc(objects, func(s *Object) bool { return s.Kind == kind && s.selects(o) }) {
			tell("no %s selects it", kind)
		}
	}
	spread := false
	for _, s := range o.Spec.Template.Spec.TopologySpreadConstraints {
		if !within(s.LabelSelector.MatchLabels, o.Spec.Template.Metadata.Labels) {
			tell("the spread over %s counts other pods", s.TopologyKey)
		}
		spread = spread || s.TopologyKey == "topology.kubernetes.io/zone"
	}
	if !spread {
		tell("isn't spread over zones")
	}
	if need := drain(o, objects); o.Spec.Template.Spec.TerminationGracePeriodSeconds < int(need.Seconds()) {
		tell("is killed after %d s, and needs up to %s to drain", o.Spec.Template.Spec.TerminationGracePeriodSeconds, need)
	}
}

// drain is how long a pod may take to stop: what a preStop hook sleeps, then drain delay, requests
// and 5 s, and the last transaction.
func drain(o *Object, objects []*Object) (total time.Duration) {
	for _, c := range o.Spec.Template.Spec.Containers {
		settings := settings(c, objects)
		total += time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		if settings["STOCKYARD_REQUEST_TIMEOUT"] == "" {
			return total + time.Minute // not one of ours
		}
		for _, name := range []string{"STOCKYARD_DRAIN_DELAY", "STOCKYARD_REQUEST_TIMEOUT", "STOCKYARD_TX_TIMEOUT"} {
			d, err := time.ParseDuration(settings[name])
			if err != nil {
				return 24 * time.Hour
			}
			total += d
		}
		total += 5 * time.Second
	}
	return total
}

// settings are a container's variables that stand in the manifests.
func settings(c Container, objects []*Object) map[string]string {
	all := map[string]string{}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			if o := find(objects, "ConfigMap", from.ConfigMapRef.Name); o != nil {
				for k, v := range o.Data {
					all[k] = v
				}
			}
		}
	}
	for _, e := range c.Env {
		all[e.Name] = e.Value
	}
	return all
}

// pod is what every pod must be, a Job's too: restricted, bounded, and all there.
func pod(o *Object, objects []*Object, tell teller) {
	p := o.Spec.Template.Spec
	if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
		tell("want runAsNonRoot and the seccomp profile RuntimeDefault")
	}
	if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		tell("has a token of the cluster's API, which it doesn't need")
	}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		container(c, tell)
		for _, from := range c.EnvFrom {
			refer(objects, "ConfigMap", from.ConfigMapRef, tell)
			refer(objects, "Secret", from.SecretRef, tell)
		}
		for _, e := range c.Env {
			refer(objects, "Secret", e.ValueFrom.SecretKeyRef, tell)
		}
	}
	for _, v := range p.Volumes {
		refer(objects, "ConfigMap", v.ConfigMap, tell)
		if v.Secret != nil {
			refer(objects, "Secret", &Named{Name: v.Secret.SecretName}, tell)
		}
		for _, s := range v.Projected.Sources {
			refer(objects, "ConfigMap", s.ConfigMap, tell)
			refer(objects, "Secret", s.Secret, tell)
		}
	}
}

func container(c Container, tell teller) {
	if _, tag, tagged := strings.Cut(c.Image[strings.LastIndexByte(c.Image, '/')+1:], ":"); !tagged || tag == "latest" || tag == "" {
		tell("container %s runs image %q: want a version", c.Name, c.Image)
	}
	if c.Resources.Requests["cpu"] == nil || c.Resources.Requests["memory"] == nil || c.Resources.Limits["memory"] == nil {
		tell("container %s: want requests of cpu and memory and a limit of memory", c.Name)
	}
	s := c.SecurityContext
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Contains(s.Capabilities.Drop, "ALL") {
		tell("container %s: want no privilege escalation, a read-only root and no capabilities", c.Name)
	}
}

// refer makes sure that what a pod needs to start is there, or is made by cert-manager or by hand.
func refer(objects []*Object, kind string, to *Named, tell teller) {
	if to == nil || to.Optional || find(objects, kind, to.Name) != nil || kind == "Secret" && slices.Contains(ByHand, to.Name) {
		return
	}
	certified := slices.ContainsFunc(objects, func(o *Object) bool { return o.Kind == "Certificate" && o.Spec.SecretName == to.Name })
	if kind == "Secret" && certified {
		return
	}
	tell("refers to %s %s, which isn't there", kind, to.Name)
}

func find(objects []*Object, kind, name string) *Object {
	i := slices.IndexFunc(objects, func(o *Object) bool { return o.Kind == kind && o.Metadata.Name == name })
	if i < 0 {
		return nil
	}
	return objects[i]
}

// selects says whether the pods of a workload are among those that o is about.
func (o *Object) selects(w *Object) bool {
	labels := w.Spec.Template.Metadata.Labels
	if labels == nil {
		return false
	}
	switch {
	case o.Spec.PodSelector != nil:
		return within(o.Spec.PodSelector.MatchLabels, labels)
	case o.Kind == "Service":
		var selector map[string]string
		return json.Unmarshal(o.Spec.Selector, &selector) == nil && within(selector, labels)
	}
	var selector Selector
	return json.Unmarshal(o.Spec.Selector, &selector) == nil && within(selector.MatchLabels, labels)
}

func within(some, all map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return len(some) > 0
}
