// Package check makes sure, without a cluster, that the manifests beside it are ones that Kubernetes
// takes and that what they run can be moved, scaled and lost.
package check

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// schemas are those of Kubernetes 1.30, cert-manager, Gateway API, Prometheus operator and multi-cluster services; schemas/make.go makes them.
//
//go:embed schemas/schemas.json
var schemas []byte

// Object is one manifest, as far as the rules look at it.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec Spec              `json:"spec"`
	Data map[string]string `json:"data"`

	raw any // all of it
}

// Spec holds what specs of several kinds have; what a kind hasn't stays empty.
type Spec struct {
	Template struct {
		Metadata struct {
			Labels map[string]string `json:"labels"`
		} `json:"metadata"`
		Spec Pod `json:"spec"`
	} `json:"template"`
	PodSelector    *Selector       `json:"podSelector"`
	Selector       json.RawMessage `json:"selector"` // a map in Services, a Selector elsewhere
	ScaleTargetRef struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"scaleTargetRef"`
	SecretName string   `json:"secretName"`
	DNSNames   []string `json:"dnsNames"`
	Rules      []struct {
		Matches []struct {
			Method struct {
				Service string `json:"service"`
			} `json:"method"`
		} `json:"matches"`
	} `json:"rules"`
}

// Selector is a label selector.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

// Pod is a pod's spec.
type Pod struct {
	TerminationGracePeriodSeconds int   `json:"terminationGracePeriodSeconds"`
	AutomountServiceAccountToken  *bool `json:"automountServiceAccountToken"`
	SecurityContext               struct {
		RunAsNonRoot   bool `json:"runAsNonRoot"`
		SeccompProfile struct {
			Type string `json:"type"`
		} `json:"seccompProfile"`
	} `json:"securityContext"`
	TopologySpreadConstraints []struct {
		TopologyKey   string   `json:"topologyKey"`
		LabelSelector Selector `json:"labelSelector"`
	} `json:"topologySpreadConstraints"`
	InitContainers []Container `json:"initContainers"`
	Containers     []Container `json:"containers"`
	Volumes        []struct {
		ConfigMap *Named `json:"configMap"`
		Secret    *struct {
			SecretName string `json:"secretName"`
		} `json:"secret"`
		Projected struct {
			Sources []struct {
				Secret    *Named `json:"secret"`
				ConfigMap *Named `json:"configMap"`
			} `json:"sources"`
		} `json:"projected"`
	} `json:"volumes"`
}

// Named refers to an object.
type Named struct {
	Name     string `json:"name"`
	Optional bool   `json:"optional"`
}

// Container of a pod.
type Container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Env     []struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ValueFrom struct {
			SecretKeyRef *Named `json:"secretKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	EnvFrom []struct {
		ConfigMapRef *Named `json:"configMapRef"`
		SecretRef    *Named `json:"secretRef"`
	} `json:"envFrom"`
	Ports []struct {
		Name string `json:"name"`
	} `json:"ports"`
	StartupProbe   *Probe `json:"startupProbe"`
	LivenessProbe  *Probe `json:"livenessProbe"`
	ReadinessProbe *Probe `json:"readinessProbe"`
	Lifecycle      struct {
		PreStop struct {
			Sleep struct {
				Seconds int `json:"seconds"`
			} `json:"sleep"`
		} `json:"preStop"`
	} `json:"lifecycle"`
	Resources struct {
		Requests map[string]any `json:"requests"`
		Limits   map[string]any `json:"limits"`
	} `json:"resources"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `json:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `json:"readOnlyRootFilesystem"`
		Capabilities             struct {
			Drop []string `json:"drop"`
		} `json:"capabilities"`
	} `json:"securityContext"`
}

// Probe of a container.
type Probe struct {
	HTTPGet struct {
		Path string `json:"path"`
		Port any    `json:"port"`
	} `json:"httpGet"`
}

// Build is `kubectl kustomize` of a folder.
func Build(dir string) ([]*Object, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	objects := make([]*Object, 0, resources.Size())
	for _, r := range resources.Resources() {
		text, err := r.MarshalJSON()
		if err != nil {
			return nil, err
		}
		o, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.CurId(), err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

func parse(text []byte) (*Object, error) {
	o := &Object{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, err
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	o.raw = raw
	return o, err
}

// Validator knows the schema of each kind.
type Validator struct {
	kinds    map[string]string
	compiler *jsonschema.Compiler
}

// NewValidator reads the schemas.
func NewValidator() (*Validator, error) {
	var index struct {
		Kinds map[string]string `json:"kinds"`
	}
	if err := json.Unmarshal(schemas, &index); err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas))
	if err != nil {
		return nil, err
	}
	v := &Validator{kinds: index.Kinds, compiler: jsonschema.NewCompiler()}
	return v, v.compiler.AddResource("schemas.json", document)
}

// Validate checks a manifest against its kind's schema. A kind without one is an error, too.
func (v *Validator) Validate(o *Object) error {
	name, known := v.kinds[o.APIVersion+"/"+o.Kind]
	if !known {
		return fmt.Errorf("%s: there is no schema of %s: add it to schemas/make.go", o, o.APIVersion)
	}
	schema, err := v.compiler.Compile("schemas.json#/$defs/" + strings.ReplaceAll(name, "/", "~1"))
	if err != nil {
		return err
	}
	if err := schema.Validate(o.raw); err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

func (o *Object) String() string { return o.Kind + " " + o.Metadata.Name }
