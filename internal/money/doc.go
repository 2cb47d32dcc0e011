// Package money is amounts in a currency with their source; the judge of sizes and the prices share it.
package money
