package storage

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func (p *Provider) shares() {
	s, v := p.s, fileVersions()
	s.Register(&arm.Type{Name: ShareType, Versions: v, Rank: 20, Unlisted: true})
	s.Handle(http.MethodGet, shares, v, p.listShares)
	s.Handle(http.MethodGet, oneShare, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.share(c)
		if err != nil {
			return nil, err
		}
		o := p.s.View(r)
		azjson.Put(o, []any{}, "properties", "signedIdentifiers")
		if props := azjson.Map(o, "properties"); props["enabledProtocols"] == "SMB" {
			delete(props, "enabledProtocols") // as recorded: only lists name it
		}
		switch expand := c.Arg("$expand"); {
		case azjson.Fold(expand, "stats"):
			azjson.Put(o, 0, "properties", "shareUsageBytes") // nothing can be put into a share
		case expand != "":
			return nil, arm.BadRequest("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid.")
		}
		return reply(arm.OK(o).With("Etag", r.Etag())), nil
	})
	s.Handle(http.MethodPut, oneShare, v, p.putShare)
	s.Handle(http.MethodPatch, oneShare, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.share(c)
		if err != nil {
			return nil, err
		}
		return p.changeShare(c, r)
	})
	s.Handle(http.MethodDelete, oneShare, v, p.deleteShare)
	s.Handle(http.MethodPost, oneShare+"/lease", v, p.lease)
}

func (p *Provider) sharesOf(account *arm.Resource) []*arm.Resource {
	var l []*arm.Resource
	prefix := resourceid.Key(account.ID) + "/"
	for _, r := range p.s.OfType(ShareType) {
		if strings.HasPrefix(resourceid.Key(r.ID), prefix) {
			l = append(l, r)
		}
	}
	return l
}

// share finds the share that a call's path names.
func (p *Provider) share(c *arm.Call) (*arm.Resource, error) {
	account, err := p.account(c)
	if err != nil {
		return nil, err
	}
	if err := onlyDefault(c); err != nil {
		return nil, err
	}
	if r := p.s.Find(shareID(account, c)); r != nil {
		return r, nil
	}
	return nil, arm.Refuse(http.StatusNotFound, "ShareNotFound", "The specified share does not exist.")
}

func shareID(account *arm.Resource, c *arm.Call) string {
	return account.ID + "/fileServices/default/shares/" + c.Param("shareName")
}

func (p *Provider) listShares(c *arm.Call) (*arm.Reply, error) {
	account, err := p.account(c)
	if err != nil {
		return nil, err
	}
	if err := onlyDefault(c); err != nil {
		return nil, err
	}
	l := []any{}
	for _, r := range p.sharesOf(account) {
		if strings.HasPrefix(r.Name(), prefix(c.Arg("$filter"))) {
			l = append(l, p.s.View(r))
		}
	}
	if n := c.Arg("$maxpagesize"); n != "" {
		c.Query.Set("$top", n)
	}
	return reply(c.Page(l)), nil
}

// prefix is what the names of listed shares begin with: a filter is that itself, or the function that says so.
func prefix(filter string) string {
	if m := startsWith.FindStringSubmatch(filter); m != nil {
		return m[1]
	}
	return filter
}

var startsWith = regexp.MustCompile(`(?i)^\s*startswith\(\s*name\s*,\s*'?([^')]*)'?\s*\)\s*$`)

var shareName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)

func (p *Provider) putShare(c *arm.Call) (*arm.Reply, error) {
	account, err := p.account(c)
	if err != nil {
		return nil, err
	}
	if err := onlyDefault(c); err != nil {
		return nil, err
	}
	name := c.Param("shareName")
	if len(name) < 3 || len(name) > 63 {
		return nil, arm.BadRequest("OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
	}
	if !shareName.MatchString(name) {
		return nil, arm.BadRequest("InvalidResourceName", "The specifed resource name contains invalid characters.") //nolint:misspell // as Azure writes it
	}
	if old := p.s.Find(shareID(account, c)); old != nil {
		return p.changeShare(c, old)
	}
	given := azjson.Clone(azjson.Map(c.Body, "properties"))
	azjson.WithoutNulls(given)
	r := &arm.Resource{ID: shareID(account, c), Type: ShareType, Body: azjson.Object{}}
	r.Body["id"], r.Body["name"], r.Body["type"] = r.ID, name, ShareType
	props := azjson.Clone(given)
	if props == nil {
		props = azjson.Object{}
	}
	r.Body["properties"] = props
	nfs := azjson.Fold(azjson.Str(props, "enabledProtocols"), "NFS")
	azjson.Default(props, "SMB", "enabledProtocols")
	if nfs {
		azjson.Default(props, "NoRootSquash", "rootSquash")
	}
	premium, least, most := provisioned(account)
	azjson.Default(props, most, "shareQuota")
	tier := "TransactionOptimized"
	if premium {
		tier = "Premium"
	}
	azjson.Default(props, tier, "accessTier")
	if err := judgeShare(account, props, least, most); err != nil {
		return nil, err
	}
	now := stamp(c.Now.Truncate(1e9))
	props["leaseStatus"], props["leaseState"] = "unlocked", "available"
	props["accessTierChangeTime"], props["lastModifiedTime"] = now, now
	r.Body["etag"] = etag(c)
	p.s.Add(r)
	return reply(arm.Created(brief(r, given)).With("Etag", r.Etag())), nil
}

// brief is what a write answers: the names, and of the properties what was sent.
func brief(r *arm.Resource, given azjson.Object) azjson.Object {
	o := azjson.Object{"id": r.ID, "name": r.Name(), "type": r.Type}
	if len(given) > 0 {
		o["properties"] = given
	}
	return o
}

// etag is an entity tag as the storage service makes them: the time in ticks of 100 ns since the year 1.
func etag(c *arm.Call) string {
	return fmt.Sprintf(`"0x%X"`, c.Now.UnixNano()/100+621355968000000000)
}

// provisioned says how large the shares of an account can be, in GiB.
func provisioned(account *arm.Resource) (premium bool, least, most int) {
	sku := azjson.Str(account.Body, "sku", "name")
	switch {
	case strings.HasPrefix(sku, "PremiumV2_"):
		return true, 32, 102400
	case strings.HasPrefix(sku, "StandardV2_"):
		return false, 32, 262144
	case azjson.Str(account.Body, "kind") == "FileStorage":
		return true, 100, 102400
	case azjson.Str(account.Body, "properties", "largeFileSharesState") == "Enabled":
		return false, 1, 102400
	}
	return false, 1, 5120
}

// judgeShare refuses what the storage service refuses, which names the header and not the property.
func judgeShare(account *arm.Resource, props azjson.Object, least, most int) error {
	wrong := arm.BadRequest("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
	kind := azjson.Str(account.Body, "kind")
	if kind == "BlobStorage" || kind == "BlockBlobStorage" {
		return arm.BadRequest("FeatureNotSupportedForAccount", "File is not supported for the account.")
	}
	switch protocol, squash := azjson.Str(props, "enabledProtocols"), azjson.Str(props, "rootSquash"); {
	case protocol == "NFS" && kind != "FileStorage":
		return arm.BadRequest("FeatureNotSupportedForAccount", "NfsFileShares is not supported for the account.")
	case protocol == "NFS" && !slices.Contains([]string{"NoRootSquash", "RootSquash", "AllSquash"}, squash):
		return wrong
	case protocol == "SMB" && squash != "", protocol != "NFS" && protocol != "SMB":
		return wrong
	}
	if gb, ok := azjson.Int(props, "shareQuota"); !ok || gb < least || gb > most {
		return wrong
	}
	tiers := []string{"TransactionOptimized", "Hot", "Cool"}
	if kind == "FileStorage" {
		tiers = []string{"Premium"}
		if strings.HasPrefix(azjson.Str(account.Body, "sku", "name"), "Standard") {
			tiers = []string{"TransactionOptimized"}
		}
	}
	if !slices.Contains(tiers, azjson.Str(props, "accessTier")) {
		return wrong
	}
	return nil
}

// changeShare is a PATCH, or a PUT of what exists already.
func (p *Provider) changeShare(c *arm.Call, r *arm.Resource) (*arm.Reply, error) {
	account, err := p.account(c)
	if err != nil {
		return nil, err
	}
	given := azjson.Clone(azjson.Map(c.Body, "properties"))
	azjson.WithoutNulls(given)
	props := azjson.Clone(r.Props())
	if want := azjson.Str(given, "enabledProtocols"); want != "" && want != azjson.Str(props, "enabledProtocols") {
		return nil, arm.BadRequest("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
	}
	for _, k := range []string{"shareQuota", "rootSquash", "accessTier", "metadata"} {
		if v := given[k]; v != nil {
			props[k] = v
		}
	}
	_, least, most := provisioned(account)
	if err := judgeShare(account, props, least, most); err != nil {
		return nil, err
	}
	props["lastModifiedTime"] = stamp(c.Now.Truncate(1e9))
	r.Body["properties"], r.Body["etag"] = props, etag(c)
	p.s.Touch(r)
	return reply(arm.OK(brief(r, given)).With("Etag", r.Etag())), nil
}

func (p *Provider) deleteShare(c *arm.Call) (*arm.Reply, error) {
	r, err := p.share(c)
	if err != nil {
		return reply(arm.Status(http.StatusNoContent)), nil
	}
	if azjson.Str(r.Hidden, "lease") != "" {
		return nil, arm.Refuse(http.StatusPreconditionFailed, "LeaseIdMissing", "There is currently a lease on the share and no lease ID was specified in the request.")
	}
	p.s.Remove(r)
	return reply(arm.Status(http.StatusOK)), nil
}

// lease keeps a share from being deleted, or lets go of it.
func (p *Provider) lease(c *arm.Call) (*arm.Reply, error) {
	r, err := p.share(c)
	if err != nil {
		return nil, err
	}
	held := azjson.Str(r.Hidden, "lease")
	set := func(id, status, state string) {
		r.Hidden["lease"] = id
		r.Props()["leaseStatus"], r.Props()["leaseState"] = status, state
		delete(r.Props(), "leaseDuration")
		if id != "" {
			r.Props()["leaseDuration"] = "Infinite"
		}
		p.s.Touch(r)
	}
	answer := azjson.Object{}
	switch action := azjson.Str(c.Body, "action"); action {
	case "Acquire":
		want := azjson.Str(c.Body, "proposedLeaseId")
		if held != "" && held != want {
			return nil, arm.Conflict("LeaseAlreadyPresent", "There is already a lease present.")
		}
		if want == "" {
			want = uuid.NewString()
		}
		set(want, "locked", "leased")
		answer["leaseId"] = want
	case "Break":
		if held == "" {
			return nil, arm.Conflict("LeaseNotPresentWithLeaseOperation", "There is currently no lease on the share.")
		}
		set("", "unlocked", "broken")
		answer["leaseTimeSeconds"] = "0"
	case "Release":
		if held == "" || azjson.Str(c.Body, "leaseId") != held {
			return nil, arm.Conflict("LeaseIdMismatchWithLeaseOperation", "The lease ID specified did not match the lease ID for the share.")
		}
		set("", "unlocked", "available")
	default:
		return nil, arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property action.", action)
	}
	return reply(arm.OK(answer).With("Etag", r.Etag())), nil
}
