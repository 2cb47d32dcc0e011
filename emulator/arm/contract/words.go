package contract

import (
	"fmt"
	"strings"
)

// words are the ways in which Azure's services refuse a body. docs/fidelity.md says who has seen them.
type words int

const (
	gateway words = iota // Azure Resource Manager itself
	compute
	network
	storage
)

// dialect is who reads the body of an operation.
func dialect(template string) words {
	path := strings.ToLower(template)
	i := strings.LastIndex(path, "/providers/")
	switch {
	case i < 0:
		return gateway
	case strings.HasPrefix(path[i:], "/providers/microsoft.compute/"):
		return compute
	case strings.HasPrefix(path[i:], "/providers/microsoft.network/"):
		return network
	case strings.HasPrefix(path[i:], "/providers/microsoft.storage/"):
		return storage
	}
	return gateway
}

func (w words) unknown(name, typ, path, place string) string {
	return fmt.Sprintf("Could not find member '%s' on object of type '%s'. Path '%s', %s.", name, typ, path, place)
}

// typeName is what the service calls a type of the descriptions.
func (w words) typeName(name, path string) string {
	switch {
	case w == compute && strings.EqualFold(path, "properties"):
		return "Properties"
	case w == gateway:
		for from, to := range map[string]string{
			"ResourceGroup": "ResourceGroupDefinition", "ResourceGroupPatchable": "ResourceGroupDefinition", "ManagementLockObject": "ManagementLockDefinition",
			"Deployment": "DeploymentContent", "DeploymentProperties": "DeploymentPropertiesDefinition",
		} {
			if name == from {
				return to
			}
		}
	}
	name = strings.TrimSuffix(name, "Format")
	return strings.ReplaceAll(name, "PublicIPAddress", "PublicIpAddress")
}

// qualified is a type's name with its namespace.
func (w words) qualified(name string) string {
	switch w {
	case compute:
		return "Microsoft.WindowsAzure.ComputeResourceProvider.API." + name
	case network:
		return "Microsoft.WindowsAzure.Networking.Nrp.Frontend.Contract.Csm.Public." + strings.TrimSuffix(name, "Format")
	case storage:
		return "Microsoft.Azure.Storage.ResourceProvider." + name
	}
	return "Azure.Deployments.Core.Definitions." + name
}

func (w words) enum(o owned) string {
	title := strings.ToUpper(o.member[:1]) + o.member[1:]
	if w == compute {
		return "System.Nullable`1[" + w.qualified(o.owner+"+"+title) + "]"
	}
	return w.qualified(title)
}

// root is what Microsoft.Compute calls the body of an operation in the targets of its refusals.
func (w words) root(op *Operation) string {
	_, name := op.Body.object("")
	name = strings.TrimSuffix(name, "Update")
	if name == "VirtualMachine" {
		return "vm"
	}
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// refusal puts what the reader says into the service's envelope.
func (w words) refusal(text, path string) *Refusal {
	switch w {
	case compute:
		return &Refusal{Code: "BadRequest", Message: text, Target: path}
	case network:
		return &Refusal{Code: "InvalidRequestFormat", Message: "Cannot parse the request.", Details: []Refusal{{Code: "InvalidJson", Message: text}}}
	}
	return &Refusal{Code: "InvalidRequestContent", Message: "The request content was invalid and could not be deserialized: '" + text + "'."}
}

// missing refuses a body without a member. spoken is the last part of the path of the object that lacks it.
func (w words) missing(name, path, at, spoken, place string, gate bool) *Refusal {
	switch {
	case at == "location":
		return &Refusal{Code: "LocationRequired", Message: "The location property is required for this definition."}
	case gate && path == "sku":
		return &Refusal{Code: "InvalidRequestContent", Message: fmt.Sprintf("The request content was invalid and could not be deserialized: Required property '%s' not found in '%s'.", name, path)}
	case w == compute:
		full := name
		if spoken != "" && spoken != "vm" && spoken != "properties" {
			full = spoken + "." + name
		}
		return &Refusal{Code: "InvalidParameter", Message: fmt.Sprintf("Required parameter '%s' is missing (null).", full), Target: full}
	}
	return w.refusal(fmt.Sprintf("Required property '%s' not found in JSON. Path '%s', %s.", name, path, place), at)
}
