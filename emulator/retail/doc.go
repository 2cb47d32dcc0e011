// Package retail is the price service that stands beside Azure Resource Manager: public, without sign-in,
// and read with a filter. Its prices of VMs are list prices of 2026; those of disks and of spot VMs are
// plausible, no more.
package retail
