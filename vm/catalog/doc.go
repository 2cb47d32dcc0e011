// Package catalog lists what the regions of a subscription offer for VMs (sizes, images, quota), and judges whether a
// request fits.
package catalog
