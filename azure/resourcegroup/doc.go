// Package resourcegroup reads, creates and deletes resource groups, and finds what in them azlin did not create.
package resourcegroup
