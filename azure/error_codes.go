package azure

import (
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// kindOfCode maps Azure's error codes to kinds of failure. Case is ignored; an entry that ends in * matches a prefix, one
// that begins with * a suffix. The code decides, because one status has several meanings, and a failed operation is reported
// with status 200.
func kindOfCode(code, message string) errkind.Kind {
	code = strings.ToLower(code)
	if code == "operationnotallowed" && !isQuotaMessage(message) {
		return errkind.Conflict // the same code also means "not in this state"
	}
	for _, e := range codeTable() {
		for _, pattern := range e.codes {
			if matches(strings.ToLower(pattern), code) {
				return e.kind
			}
		}
	}
	return errkind.Unknown
}

type codeEntry struct {
	kind  errkind.Kind
	codes []string
}

// codeTable is ordered: the first match counts.
func codeTable() []codeEntry {
	return []codeEntry{
		{errkind.Auth, []string{
			"InvalidAuthenticationToken*", "ExpiredAuthenticationToken", "AuthenticationFailed*", "InvalidSubscriptionTenant",
			"Unauthorized", "AADSTS*", "invalid_client", "invalid_grant", "interaction_required",
		}},
		{errkind.Permission, []string{
			"AuthorizationFailed", "LinkedAuthorizationFailed", "RequestDisallowedByPolicy", "RequestDisallowedByAzure",
			"Forbidden", "DisallowedOperation", "ReadOnlyDisabledSubscription", "DisabledSubscription",
		}},
		{errkind.Capacity, []string{
			"SkuNotAvailable", "AllocationFailed", "ZonalAllocationFailed", "Overconstrained*",
			"LocationNotAvailableForResourceType", "NotAvailableForSubscription", "AvailabilityZoneNotSupported",
			"ResourceTypeNotSupportAvailabilityZones", "SpotPriceGreaterThanProvidedMaxPrice", "EvictedSpot*",
		}},
		{errkind.Quota, []string{
			"OperationNotAllowed", "QuotaExceeded", "*QuotaExceeded", "PublicIPCountLimitReached", "*CountLimitReached",
			"*LimitReached", "*LimitExceeded", "ResourceQuotaExceeded", "ResourceGroupQuotaExceeded",
		}},
		{errkind.Throttled, []string{"TooManyRequests", "*RequestsThrottled", "Throttl*", "RateLimit*", "RequestThrottled"}},
		{errkind.NotFound, []string{
			"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "NotFound", "*NotFound",
		}},
		{errkind.Conflict, []string{
			"ScopeLocked", "*InUse", "InUse*", "PublicIPAddressCannotBeDeleted", "*CannotBeDeleted*", "Conflict*", "PropertyChangeNotAllowed",
			"PreconditionFailed", "ConditionNotMet", "AnotherOperationInProgress", "RetryableError*", "NicReservedForAnotherVm",
			"SecurityRuleConflict", "ResourceExists", "*AlreadyExists", "AttachDiskWhileBeingDetached", "ResourceGroupBeingDeleted",
			"ReferencedResourceNotProvisioned", "OperationPreempted*", "CanceledAndSuperseded*", "StorageAccountAlreadyTaken",
			"DiskInUse", "CannotAttachDetachedDisk", "*IsBeingDeleted", "InvalidResourceLocation",
		}},
		{errkind.Invalid, []string{
			"NoRegisteredProviderFound", "MissingApiVersionParameter",
			"Invalid*", "BadRequest", "TagLimit*", "LinkedInvalidPropertyId",
			"UnsupportedMediaType", "MissingSubscriptionRegistration", "LocationRequired",
		}},
		{errkind.Provisioning, []string{
			"VMAgentStatusCommunicationError", "OSProvisioning*", "VMExtension*", "ProvisioningFailed", "InternalOperationError",
			"InternalExecutionError", "VMStartTimedOut", "DeploymentFailed", "ResourceDeploymentFailure",
		}},
	}
}

// isQuotaMessage distinguishes a quota refusal from other uses of OperationNotAllowed.
func isQuotaMessage(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "quota") || strings.Contains(message, "limit")
}

func matches(pattern, code string) bool {
	lead, trail := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	bare := strings.Trim(pattern, "*")
	switch {
	case lead && trail:
		return strings.Contains(code, bare)
	case lead:
		return strings.HasSuffix(code, bare)
	case trail:
		return strings.HasPrefix(code, bare)
	}
	return code == pattern
}

// kindOfStatus is used when the code is unknown.
func kindOfStatus(status int) errkind.Kind {
	switch status {
	case http.StatusUnauthorized:
		return errkind.Auth
	case http.StatusForbidden:
		return errkind.Permission
	case http.StatusNotFound, http.StatusGone:
		return errkind.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return errkind.Conflict
	case http.StatusTooManyRequests:
		return errkind.Throttled
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return errkind.Invalid
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return errkind.Unreachable
	}
	return errkind.Unknown
}
