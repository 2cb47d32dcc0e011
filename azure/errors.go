package azure

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"github.com/azlin-dev/azlin/azure/answer"
	"github.com/azlin-dev/azlin/errkind"
)

// ErrAuthentication is the class of every sign-in failure.
var ErrAuthentication = errors.New("not signed in to Azure")

// Wrap adds kind, Azure's code, message and correlation id to an error of this package's clients. op and resource describe
// the failed action. nil stays nil; an error that has a kind only gets op and resource if it lacks them.
func Wrap(op, resource string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*errkind.Error](err); ok {
		if e.Op != "" {
			return err
		}
		return &errkind.Error{Kind: errkind.Of(err), Op: op, Resource: resource, Err: err}
	}
	out := &errkind.Error{Op: op, Resource: resource}
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		fromResponse(out, re)
		return out
	}
	if kind, cause := signInFailure(err); kind != errkind.Unknown {
		out.Kind, out.Err = kind, cause
		if kind == errkind.Auth {
			out.Class = ErrAuthentication
		}
		return out
	}
	out.Err = withoutURL(err)
	if networkFailure(err) {
		out.Kind = errkind.Unreachable
	}
	if errors.Is(err, context.Canceled) {
		out.Kind = errkind.Cancelled
	}
	return out
}

// Code is Azure's error code in err; empty: none.
func Code(err error) string {
	for e := range errkind.All(err) {
		if e.Code != "" {
			return e.Code
		}
	}
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		code, _ := answer.Innermost(re)
		return code
	}
	return ""
}

// IsNotFound reports whether err means that the requested resource does not exist.
func IsNotFound(err error) bool {
	if errkind.Of(err) == errkind.NotFound {
		return true
	}
	re, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && re.StatusCode == http.StatusNotFound
}

func fromResponse(out *errkind.Error, re *azcore.ResponseError) {
	code, message := answer.Innermost(re)
	out.Code = code
	out.Kind = kindOfCode(code, message)
	status := re.StatusCode
	if out.Kind == errkind.Unknown {
		out.Kind = kindOfStatus(status)
	}
	if out.Kind == errkind.Unknown && status < http.StatusBadRequest {
		out.Kind = errkind.Provisioning // an operation that Azure had accepted
	}
	if re.RawResponse != nil {
		out.CorrelationID = answer.CorrelationID(re.RawResponse)
	}
	if about := strings.TrimSpace(out.Op + " " + out.Resource); strings.EqualFold(code, "ResourceGroupNotFound") &&
		strings.Contains(message, "'"+about[strings.LastIndexByte(about, ' ')+1:]+"'") {
		message = "there is no such resource group" // Azure's text repeats the name
	}
	if message == "" {
		message = fmt.Sprintf("Azure answered %d %s", status, http.StatusText(status))
	}
	out.Err = &ResponseError{Message: message, Code: code, Status: status}
	if out.Kind == errkind.Auth {
		out.Class = ErrAuthentication
	}
}

// ResponseError is a refusal by Azure, with its message.
type ResponseError struct {
	Message string
	Code    string
	Status  int // HTTP status; 200 for an operation that failed after it was accepted
}

func (e *ResponseError) Error() string { return e.Message }

// signInFailure recognises errors of azidentity and of the library it uses. An unreachable token endpoint is not a refusal.
func signInFailure(err error) (errkind.Kind, error) {
	failed, isFailed := errors.AsType[*azidentity.AuthenticationFailedError](err)
	call, isCall := errors.AsType[msal.CallErr](err)
	_, isRequired := errors.AsType[*azidentity.AuthenticationRequiredError](err)
	switch {
	case isFailed && failed.RawResponse != nil:
		return answered(failed.RawResponse, "")
	case isCall && call.Resp != nil:
		return answered(call.Resp, call.Error())
	case strings.Contains(err.Error(), "AADSTS"), strings.Contains(err.Error(), "az login"), strings.HasPrefix(err.Error(), "AzureCLICredential"),
		strings.HasPrefix(err.Error(), "ManagedIdentityCredential: failed"), strings.HasPrefix(err.Error(), "ManagedIdentityCredential: the requested identity"):
		return errkind.Auth, err
	case isFailed && (strings.Contains(err.Error(), "no such file") || strings.Contains(err.Error(), "cannot find the")):
		return errkind.Prerequisite, err // the federated token file is gone
	case isFailed && strings.Contains(err.Error(), "raw message was"): // the message would show the tokens in it
		return errkind.Unreachable, errors.New("the token endpoint's answer is not what it should be: is a proxy or a captive portal in between?")
	case isFailed:
		return errkind.Unreachable, err // no answer; the error does not contain the cause
	case isRequired, errors.Is(err, ErrAuthentication):
		return errkind.Auth, err
	}
	return errkind.Unknown, nil
}

// answered is a token endpoint's refusal. text is the body, if a library has already read it.
func answered(resp *http.Response, text string) (errkind.Kind, error) {
	kind := errkind.Auth
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		kind = kindOfStatus(resp.StatusCode)
	}
	body, err := runtime.Payload(resp)
	if err != nil || len(body) == 0 {
		body = []byte(text[max(strings.IndexByte(text, '{'), 0):])
	}
	if description := entraDescription(body); description != "" {
		return kind, errors.New(description)
	}
	return kind, fmt.Errorf("the token endpoint answered %d", resp.StatusCode)
}

// entraDescription is the first line of Entra's refusal; the rest is trace ids and times. App Service's identity endpoint
// has a message instead.
func entraDescription(body []byte) string {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	line, _, _ := strings.Cut(e.Description, "\r\n")
	line, _, _ = strings.Cut(line, "\n")
	line, _, _ = strings.Cut(line, " Trace ID:")
	return cmp.Or(strings.TrimSpace(line), e.Message, e.Error)
}

// networkFailure reports whether there was no answer.
func networkFailure(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return !errors.Is(err, context.Canceled)
	}
	return answer.CutShort(err) || certificateFailure(err)
}

// certificateFailure reports whether the server's certificate was not accepted.
func certificateFailure(err error) bool {
	_, unknownCA := errors.AsType[x509.UnknownAuthorityError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	return unknownCA || hostname || verification
}
