// Package catalog tells what the regions of a subscription offer for VMs: sizes, images and quota, and judges whether
// there is room for what is asked for.
package catalog
