package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure/permission"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// Azure refuses tokens with implausible times: it tolerates five minutes.
const (
	skewWarning = 30 * time.Second
	skewFailure = 5 * time.Minute
)

// endpoints checks that Azure is reachable, without signing in, and compares the clocks.
func endpoints(ctx context.Context, s Subject) []Finding {
	if s.Cloud.Endpoint == "" {
		return []Finding{{Check: "endpoints", Status: Skipped, Detail: "it is not known which cloud to work in"}}
	}
	client, err := s.Cloud.HTTPClient()
	if err != nil {
		return []Finding{{Check: "endpoints", Status: Failed, Detail: err.Error()}}
	}
	defer client.CloseIdleConnections()
	arm, date := reach(ctx, client, "Azure Resource Manager", s.Cloud.Endpoint+"/metadata/endpoints?api-version=2015-01-01")
	entra, _ := reach(ctx, client, "Microsoft Entra", s.Cloud.Authority+"/organizations/v2.0/.well-known/openid-configuration")
	return []Finding{arm, entra, clock(date)}
}

// reach sends a request to an address. Any answer is a success: only reachability is tested.
func reach(ctx context.Context, client *http.Client, what, address string) (Finding, time.Time) {
	f := Finding{Check: "reach " + what, Status: OK}
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err == nil {
		var resp *http.Response
		if resp, err = client.Do(req); err == nil {
			_ = resp.Body.Close() // only the header is used
			f.Detail = fmt.Sprintf("%s answered in %d ms", req.URL.Host, time.Since(began).Milliseconds())
			date, _ := http.ParseTime(resp.Header.Get("Date"))
			return f, date
		}
	}
	f.Status, f.Detail = Failed, err.Error()
	f.Advice = "look at your network, and at HTTPS_PROXY if you are behind a proxy"
	return f, time.Time{}
}

func clock(azure time.Time) Finding {
	f := Finding{Check: "clock", Status: OK}
	if azure.IsZero() {
		f.Status, f.Detail = Skipped, "Azure did not tell its time"
		return f
	}
	skew := time.Since(azure).Round(time.Second)
	f.Detail = fmt.Sprintf("%s from Azure's", skew.Abs())
	switch {
	case skew.Abs() > skewFailure:
		f.Status = Failed
	case skew.Abs() > skewWarning:
		f.Status = Warning
	default:
		return f
	}
	f.Next = errkind.Step{Action: errkind.Run, Command: "sudo timedatectl set-ntp true"}
	return f
}

// signIn signs in, from the cache if possible.
func signIn(ctx context.Context, s Subject) []Finding {
	f := Finding{Check: "sign-in", Status: OK, Next: errkind.Step{Action: errkind.Run, Command: "az login"}}
	if s.Auth == nil {
		f.Status, f.Detail = Failed, "nobody can be signed in"
		if s.SignInErr != nil {
			f.Detail = s.SignInErr.Error()
		}
		return []Finding{f}
	}
	who, err := s.Auth.Authenticate(ctx)
	if err != nil {
		f.Status, f.Detail = Failed, err.Error()
		return []Finding{f}
	}
	f.Next = errkind.Step{}
	f.Detail = fmt.Sprintf("%s by %s, subscription %s", cmp.Or(who.UserName, "signed in"), s.Auth.Method(), cmp.Or(who.SubscriptionID, "not chosen"))
	return []Finding{f}
}

// permissions finds commands that the identity may not use. Missing ones are a warning, because few users may use all.
func permissions(ctx context.Context, s Subject) []Finding {
	if s.Azure == nil {
		return []Finding{{Check: "permissions", Status: Skipped, Detail: "nobody is signed in"}}
	}
	f := Finding{Check: "permissions", Status: OK, Detail: "every command is allowed in " + s.Group}
	report, err := permission.Check(ctx, s.Azure, s.Group)
	if err != nil {
		f.Status, f.Detail = Failed, err.Error()
		return []Finding{f}
	}
	var refused []string
	for _, c := range report.Commands {
		if !c.Allowed {
			refused = append(refused, c.Command)
		}
	}
	if refused != nil {
		f.Status, f.Detail = Warning, "not allowed in "+s.Group+": "+strings.Join(refused, ", ")
		f.Next = errkind.Step{Action: errkind.ShowPermissions}
	}
	return []Finding{f}
}

// quota checks whether another VM fits into the region's quota.
func quota(ctx context.Context, s Subject) []Finding {
	if s.Catalog == nil {
		return []Finding{{Check: "quota", Status: Skipped, Detail: "nobody is signed in"}}
	}
	quotas, err := s.Catalog.Quotas(ctx, s.Region)
	if err != nil {
		return []Finding{{Check: "quota", Status: Failed, Detail: err.Error()}}
	}
	var all []Finding
	for _, q := range quotas {
		if q.Name != catalog.QuotaCores && q.Name != catalog.QuotaPublicIPs {
			continue
		}
		f := Finding{Check: "quota " + strings.ToLower(q.Name), Status: OK}
		f.Detail = fmt.Sprintf("%d of %d in use in %s", q.Current, q.Limit, s.Region)
		if q.Left() == 0 {
			f.Status = Warning
			f.Advice = "ask for more in the Azure portal under Quotas, or choose another region"
		}
		all = append(all, f)
	}
	if all == nil {
		all = []Finding{{Check: "quota", Status: Warning, Detail: "Azure told no quota for " + s.Region}}
	}
	return all
}
