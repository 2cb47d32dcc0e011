package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Profile is the Azure CLI's azureProfile.json: its identity and subscriptions.
type Profile struct {
	Subscriptions []ProfileSubscription
}

// ProfileSubscription is one subscription of a Profile.
type ProfileSubscription struct {
	ID       string
	Name     string
	State    string // "Enabled"
	TenantID string
	Cloud    string // the Azure CLI's name, "AzureCloud"
	User     string
	UserType string // "user" or "servicePrincipal"
	Default  bool
}

// ReadProfile reads the file. An absent file is an empty profile: nobody has signed in.
func ReadProfile(path string) (Profile, error) {
	data, err := atomicfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Profile{}, nil
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read the Azure CLI's profile: %w", err)
	}
	p, err := ParseProfile(data)
	if err != nil {
		return Profile{}, fmt.Errorf("read the Azure CLI's profile %s: %w", path, err)
	}
	return p, nil
}

// ParseProfile parses azureProfile.json, with or without the byte order mark that the Azure CLI writes.
func ParseProfile(data []byte) (Profile, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return Profile{}, nil
	}
	var file struct {
		Subscriptions []struct {
			ID              string `json:"id"`
			Name            string `json:"name"`
			State           string `json:"state"`
			TenantID        string `json:"tenantId"`
			EnvironmentName string `json:"environmentName"`
			IsDefault       bool   `json:"isDefault"`
			User            struct {
				Name string `json:"name"`
				Type string `json:"type"`
			} `json:"user"`
		} `json:"subscriptions"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return Profile{}, errkind.New(errkind.Invalid, "not the JSON that the Azure CLI writes: %w", err)
	}
	var p Profile
	for _, s := range file.Subscriptions {
		p.Subscriptions = append(p.Subscriptions, ProfileSubscription{
			ID: s.ID, Name: s.Name, State: s.State, TenantID: s.TenantID, Cloud: s.EnvironmentName,
			User: s.User.Name, UserType: s.User.Type, Default: s.IsDefault,
		})
	}
	return p, nil
}

// Current is the Azure CLI's current subscription. cloud is the Azure CLI's name of a cloud; empty: any.
func (p Profile) Current(cloud string) (ProfileSubscription, bool) {
	for _, s := range p.Subscriptions {
		if s.Default && (cloud == "" || s.Cloud == "" || strings.EqualFold(s.Cloud, cloud)) {
			return s, true
		}
	}
	return ProfileSubscription{}, false
}

// Find returns a subscription by id or name.
func (p Profile) Find(idOrName string) (ProfileSubscription, bool) {
	for _, s := range p.Subscriptions {
		if strings.EqualFold(s.ID, idOrName) {
			return s, true
		}
	}
	for _, s := range p.Subscriptions {
		if s.Name == idOrName {
			return s, true
		}
	}
	return ProfileSubscription{}, false
}
