package record

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// masked stands for a secret.
const masked = "***"

// secretNames are members and parameters whose values are secrets, in lower case.
var secretNames = func() map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(`access_token accesstoken refresh_token id_token device_code user_code code client_secret clientsecret
client_assertion assertion password adminpassword windowsadminpassword customdata userdata protectedsettings sharedkey authtoken
websockettoken aztoken token secret accountkey storageaccountkey commandtoexecute vpnclientrootcertificates`) {
		m[n] = true
	}
	return m
}()

func secretName(name string) bool {
	name = strings.ToLower(name)
	return secretNames[name] || strings.Contains(name, "password") || strings.HasSuffix(name, "_secret")
}

// Mask returns a copy of a JSON value without its secrets.
func Mask(v any) any { return mask(v, nil) }

// mask masks v; secure are the names of a deployment's parameters that its template calls secure.
func mask(v any, secure map[string]bool) any {
	switch x := v.(type) {
	case map[string]any:
		if s := secureParameters(x); s != nil {
			secure = s
		}
		o := make(map[string]any, len(x))
		for k, e := range x {
			switch {
			case secretName(k) && !plain(e), k == "value" && x["keyName"] != nil: // account keys are values with a name
				o[k] = masked
			case k == "error" || k == "code": // of the error envelope, or of a run command
				o[k] = mask(e, secure)
			case k == "parameters" && secure != nil:
				o[k] = maskParameters(e, secure)
			default:
				o[k] = mask(e, secure)
			}
		}
		return o
	case []any:
		l := make([]any, len(x))
		for i, e := range x {
			l[i] = mask(e, secure)
		}
		return l
	case string:
		return maskText(x)
	}
	return v
}

// plain are values that cannot be secrets, and the codes of errors and states, which share their name with
// codes of devices.
func plain(v any) bool {
	switch x := v.(type) {
	case nil, bool:
		return true
	case []any:
		return len(x) == 0
	case string:
		return x == "" || stateCode.MatchString(x)
	}
	return false
}

// stateCode matches ResourceNotFound and PowerState/running, not what a random generator makes.
var stateCode = regexp.MustCompile(`^[A-Z][A-Za-z]*(/[A-Za-z0-9_]+)*$`)

// secureParameters are the secure parameters of the template in a deployment's properties.
func secureParameters(props map[string]any) map[string]bool {
	template, _ := props["template"].(map[string]any)
	declared, _ := template["parameters"].(map[string]any)
	if declared == nil {
		return nil
	}
	m := map[string]bool{}
	for name, d := range declared {
		o, _ := d.(map[string]any)
		if typ, _ := o["type"].(string); strings.HasPrefix(strings.ToLower(typ), "secure") {
			m[strings.ToLower(name)] = true
		}
	}
	return m
}

func maskParameters(v any, secure map[string]bool) any {
	o, ok := v.(map[string]any)
	if !ok {
		return mask(v, secure)
	}
	c := make(map[string]any, len(o))
	for k, e := range o {
		if secure[strings.ToLower(k)] || secretName(k) {
			c[k] = masked
		} else {
			c[k] = mask(e, secure)
		}
	}
	return c
}

var (
	signed  = regexp.MustCompile(`([?&]sig=)[^&"\s]+`)
	webJSON = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*`)
	bearer  = regexp.MustCompile(`(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+`)
	inPath  = regexp.MustCompile(`(/api/tokens/|/webtunnelv2/|/webtunnel/)[^/?]+`)
)

// maskText masks what is a secret wherever it stands: signatures, tokens.
func maskText(s string) string {
	s = signed.ReplaceAllString(s, "${1}"+masked)
	s = webJSON.ReplaceAllString(s, masked)
	return bearer.ReplaceAllString(s, "${1}"+masked)
}

// loose finds members in what is almost JSON.
var loose = regexp.MustCompile(`(["']?)([A-Za-z_]+)(["']?\s*:\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)

// maskLoose masks a text that is not JSON, such as a template with comments.
func maskLoose(s string) string {
	s = loose.ReplaceAllStringFunc(s, func(m string) string {
		p := loose.FindStringSubmatch(m)
		if !secretName(p[2]) {
			return m
		}
		return p[1] + p[2] + p[3] + `"` + masked + `"`
	})
	return maskText(s)
}

func maskURL(s string) string {
	path, query, has := strings.Cut(s, "?")
	s = inPath.ReplaceAllString(path, "${1}"+masked)
	if has {
		s += "?" + maskQuery(query)
	}
	return maskText(s)
}

// maskQuery masks the values of a query or a form, and leaves everything else as it was sent.
func maskQuery(q string) string {
	parts := strings.Split(q, "&")
	for i, p := range parts {
		name, _, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if secretName(name) || name == "sig" {
			parts[i] = name + "=" + masked
		}
	}
	return maskText(strings.Join(parts, "&"))
}

func maskHeader(h http.Header) http.Header {
	c := http.Header{}
	for k, l := range h {
		for _, v := range l {
			switch strings.ToLower(k) {
			case "authorization", "cookie", "set-cookie", "x-identity-header", "x-ms-authorization-auxiliary", "secret":
				scheme, _, ok := strings.Cut(v, " ")
				if v = masked; ok {
					v = scheme + " " + masked
				}
			case "location", "azure-asyncoperation", "referer":
				v = maskURL(v)
			default:
				v = maskText(v)
			}
			c.Add(k, v)
		}
	}
	return c
}
