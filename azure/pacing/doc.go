// Package pacing spaces and repeats requests: a budget per kind of request, the delays that Azure requests, and retries
// after temporary refusals. It works on requests and answers, whatever their content.
package pacing
