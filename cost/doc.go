// Package cost knows what things cost: list prices of VMs, disks and addresses from Azure's retail price
// service, kept on disk for a day, else from a built-in list with its date. What is not known is nil, never
// zero. It does not know what was billed.
package cost
