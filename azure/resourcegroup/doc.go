// Package resourcegroup reads, makes and deletes resource groups, and knows what in them is not azlin's.
package resourcegroup
