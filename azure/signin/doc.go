// Package signin finds the identity that azlin works as: an explicit chain of credentials, a cache of tokens
// between runs, and logins that are remembered. It sends nothing to Azure Resource Manager but the question
// for subscriptions.
package signin
