// Package cost looks up list prices of VMs, disks and addresses: from Azure's retail price service, cached on disk for a
// day, else from a dated built-in list. An unknown price is nil, never zero. It has no billing data.
package cost
