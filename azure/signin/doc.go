// Package signin finds the identity that azlin uses: an explicit chain of credentials, a token cache, and stored logins. The
// only request it sends to Azure Resource Manager lists subscriptions.
package signin
