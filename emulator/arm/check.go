package arm

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
)

func (s *Server) checkProvider(c *Call) error {
	ns, _ := c.Route.Kind()
	if ns == "" || c.Method == http.MethodGet || s.Registered(ns) {
		return nil
	}
	return Conflict("MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", ns).
		withDetail(Conflict("MissingSubscriptionRegistration",
			"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", ns).At(ns))
}

func (e *Error) withDetail(d *Error) *Error {
	e.Details = append(e.Details, d)
	return e
}

func (s *Server) checkGroup(c *Call) error {
	g := c.Group()
	if g == "" {
		return nil
	}
	if r := s.Find("/subscriptions/" + c.Sub() + "/resourceGroups/" + g); r != nil {
		if c.Method == http.MethodPut && azjson.Str(r.Body, "properties", "provisioningState") == "Deleting" {
			return Conflict("ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g)
		}
		return nil
	}
	if ns, _ := c.Route.Kind(); ns == "" && c.Route.Method == http.MethodPut {
		return nil // it is the group that is being made
	}
	return GroupNotFound(g)
}

var versionForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta)?$`)

func (s *Server) checkVersion(c *Call) error {
	v := c.Route.Versions
	if len(v) == 0 || slices.Contains(v, strings.ToLower(c.Version)) {
		return nil
	}
	ns, typ := c.Route.Kind()
	if !versionForm.MatchString(c.Version) || ns == "" || azjson.Fold(ns, "Microsoft.Resources") {
		return BadRequest("InvalidApiVersionParameter",
			"The api-version '%s' is invalid. The supported versions are '%s'.", c.Version, strings.Join(reversed(v), ","))
	}
	location := azjson.Str(c.Body, "location")
	if r := s.Find(c.Path); location == "" && r != nil {
		location = r.Location()
	}
	if location == "" {
		location = c.Param("location")
	}
	return BadRequest("NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are '%s'.",
		location, c.Version, typ, strings.Join(v, ", "), strings.Join(geography.Names(), ", "))
}

func reversed(l []string) []string {
	l = slices.Clone(l)
	slices.Reverse(l)
	return l
}
