// Package template stores templates for VMs as YAML files in one directory, and turns a template into a launch.
// docs/template.schema.json describes the files to editors.
package template

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// ErrTemplate is the class of every failure here, for errors.Is. Its kind (errkind.Of) says more.
var ErrTemplate = errors.New("template error")

// Config is a template. Name is required; empty fields are left to the launch.
type Config struct {
	Name          string `json:"name" yaml:"name"`                                   // the name of the file, without .yaml
	Description   string `json:"description,omitempty" yaml:"description,omitempty"` // for people
	VMSize        string `json:"vm_size,omitempty" yaml:"vm_size,omitempty"`
	Region        string `json:"region,omitempty" yaml:"region,omitempty"`
	Zone          string `json:"zone,omitempty" yaml:"zone,omitempty"`
	Image         string `json:"image,omitempty" yaml:"image,omitempty"` // as provision.Config.Image; "UbuntuLTS": Ubuntu 24.04 matching the size
	AdminUsername string `json:"admin_username,omitempty" yaml:"admin_username,omitempty"`

	InstallTools  Tools  `json:"install_tools" yaml:"install_tools,omitempty"` // names of cloudinit.Tools; nil: all; empty: none
	StartupScript string `json:"startup_script,omitempty" yaml:"startup_script,omitempty"`
	CloudInit     string `json:"cloud_init,omitempty" yaml:"cloud_init,omitempty"` // #cloud-config or a script, added to azlin's own

	Tags        map[string]string `json:"tags,omitempty" yaml:"tags,omitempty"`
	OSDiskGB    int               `json:"os_disk_gb,omitempty" yaml:"os_disk_gb,omitempty"`
	DataDisksGB []int             `json:"data_disks_gb,omitempty" yaml:"data_disks_gb,omitempty,flow"`
	Spot        bool              `json:"spot,omitempty" yaml:"spot,omitempty"`
	Identity    string            `json:"identity,omitempty" yaml:"identity,omitempty"` // "system" or the id of a user-assigned one

	Private    bool   `json:"private,omitempty" yaml:"private,omitempty"`
	Public     bool   `json:"public,omitempty" yaml:"public,omitempty"`
	NATGateway bool   `json:"nat_gateway,omitempty" yaml:"nat_gateway,omitempty"`
	Repo       string `json:"repo,omitempty" yaml:"repo,omitempty"`     // git URL
	Branch     string `json:"branch,omitempty" yaml:"branch,omitempty"` // of Repo
}

// Tools are names of tools. nil means all, and the empty list none.
type Tools []string

// IsZero is false for the empty list, so that it is written to the file: it differs from nil.
func (t Tools) IsZero() bool { return t == nil }

// ubuntuLTS is another name for the default image.
const ubuntuLTS = "UbuntuLTS"

// Request returns the launch that the template describes; the caller adds name, group and key.
func (c Config) Request() (launch.Request, error) {
	image := c.Image
	if strings.EqualFold(image, ubuntuLTS) {
		image = ""
	}
	r := launch.Request{
		Config: provision.Config{
			Size: c.VMSize, Region: c.Region, Zone: c.Zone, Image: image, AdminUsername: c.AdminUsername, Tags: c.Tags,
			OSDiskSizeGB: c.OSDiskGB, Spot: c.Spot, Identity: c.Identity, Private: c.Private, NATGateway: c.NATGateway, Template: c.Name,
		},
		Setup:  launch.Setup{Tools: c.InstallTools, StartupScript: c.StartupScript},
		Public: c.Public,
	}
	if c.CloudInit != "" {
		r.CloudInit = []byte(c.CloudInit)
	}
	for _, gb := range c.DataDisksGB {
		r.DataDisks = append(r.DataDisks, provision.DataDisk{SizeGB: gb})
	}
	if c.Repo == "" {
		return r, nil
	}
	var err error
	r.Repository, err = repository.Parse(c.Repo, c.Branch)
	return r, err
}

// FromVM returns a template of a VM's configuration (vm.Service.Model).
func FromVM(name string, from provision.Config) Config {
	c := Config{
		Name: name, VMSize: from.Size, Region: from.Region, Zone: from.Zone, Image: from.Image, AdminUsername: from.AdminUsername,
		Tags: from.Tags, OSDiskGB: from.OSDiskSizeGB, Spot: from.Spot, Identity: from.Identity, Private: from.Private,
	}
	for _, d := range from.DataDisks {
		c.DataDisksGB = append(c.DataDisksGB, d.SizeGB)
	}
	return c
}

// fieldError is an error in one field.
type fieldError struct {
	field string // its name in the file
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// ValidateName checks the name of a template.
func ValidateName(name string) error {
	if !validName.MatchString(name) {
		return &errkind.Error{Class: ErrTemplate, Err: errkind.New(errkind.Invalid, "template name %q: use 1 to 64 letters, digits, - and _, a letter or digit first", name)}
	}
	return nil
}

// Validate checks everything that can be known without a request. Errors are Invalid and name the field.
func (c Config) Validate() error {
	if err := c.check(); err != nil {
		return &errkind.Error{Kind: errkind.Invalid, Op: "check template", Resource: c.Name, Class: ErrTemplate, Err: err}
	}
	return nil
}

// check finds the first invalid field by trying each alone in an otherwise valid VM.
func (c Config) check() error {
	if err := ValidateName(c.Name); err != nil {
		return &fieldError{"name", err}
	}
	var image, wantRepo error
	if !strings.EqualFold(c.Image, ubuntuLTS) {
		image = catalog.ValidateImage(c.Image)
	}
	if c.Branch != "" && c.Repo == "" {
		wantRepo = errkind.New(errkind.Invalid, "a branch wants repo")
	}
	for _, alone := range []struct {
		field string
		err   error
		only  Config
	}{
		{"vm_size", nil, Config{VMSize: c.VMSize}},
		{"region", nil, Config{Region: c.Region}},
		{"zone", nil, Config{Zone: c.Zone}},
		{"image", image, Config{}},
		{"admin_username", nil, Config{AdminUsername: c.AdminUsername}},
		{"install_tools", nil, Config{InstallTools: c.InstallTools}},
		{"startup_script", nil, Config{StartupScript: c.StartupScript}},
		{"cloud_init", nil, Config{CloudInit: c.CloudInit}},
		{"tags", nil, Config{Tags: c.Tags}},
		{"os_disk_gb", nil, Config{OSDiskGB: c.OSDiskGB}},
		{"data_disks_gb", nil, Config{DataDisksGB: c.DataDisksGB}},
		{"identity", identity(c.Identity), Config{}},
		{"repo", nil, Config{Repo: c.Repo}},
		{"branch", wantRepo, Config{Repo: c.Repo, Branch: c.Branch}},
		{"public", nil, Config{Private: c.Private, Public: c.Public}},
		{"nat_gateway", nil, Config{Private: c.Private, Public: c.Public, NATGateway: c.NATGateway}},
		{"startup_script", nil, Config{StartupScript: c.StartupScript, CloudInit: c.CloudInit}}, // their sizes add up
	} {
		err := alone.err
		if err == nil {
			err = alone.only.tryOut()
		}
		if err != nil {
			return &fieldError{alone.field, err}
		}
	}
	return nil
}

// tryOut checks a launch of the template, with placeholders for what it leaves open.
func (c Config) tryOut() error {
	r, err := c.Request()
	if err != nil {
		return err
	}
	if c.Private && c.Public {
		return errkind.New(errkind.Invalid, "private and public at once")
	}
	if c.NATGateway && c.Public {
		return errkind.New(errkind.Invalid, "a NAT gateway is the way out of a private VM; one with a public address needs none")
	}
	stand := func(s *string, in string) {
		if *s == "" {
			*s = in
		}
	}
	v := r.Config
	stand(&v.Name, "vm")
	stand(&v.ResourceGroup, "group")
	stand(&v.Region, "region")
	stand(&v.Size, "Standard_X")
	v.NATGateway = false // the launch decides
	v.SSHPublicKeys = []string{"ssh-ed25519 AAAA"}
	v.SSHSources = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 32)}
	if err := v.Validate(); err != nil {
		return err
	}
	return r.Check(v.AdminUsername)
}

func identity(s string) error {
	if s == "" || s == "system" || strings.HasPrefix(s, "/") {
		return nil
	}
	return fmt.Errorf("%q: give system or the id of a user-assigned identity", s)
}
