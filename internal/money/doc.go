// Package money is amounts in a currency, and where a price is from: what the judge of sizes and the prices share.
package money
