// Package arm is the part of the local Azure that every resource provider shares: the resource
// store, request routing, api-versions, the error envelope, paging, ETags, asynchronous operations,
// rate limits and the headers that Azure Resource Manager adds.
//
// It knows no resource type. Providers (packages resources, network, compute) register types,
// routes and operation kinds with a Server. Resources are raw JSON, so that a property nobody here
// has heard of comes back as it was sent.
package arm
