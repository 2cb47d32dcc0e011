//go:build unix

package userland

import "time"

// CloudInitVersion is what the logs claim to come from.
const CloudInitVersion = "25.1.4-0ubuntu0~24.04.1"

// DataSource is where the user data comes from.
const DataSource = "DataSourceAzure [seed=/dev/sr0]"

// Stage is the entry of one boot stage in status.json.
type Stage struct {
	Errors   []string            `json:"errors"`
	Warnings map[string][]string `json:"recoverable_errors"`
	Start    *float64            `json:"start"`
	Finished *float64            `json:"finished"`
}

// StatusFile is status.json.
type StatusFile struct {
	V1 struct {
		DataSource string  `json:"datasource"`
		Stage      *string `json:"stage"`
		InitLocal  Stage   `json:"init-local"`
		Init       Stage   `json:"init"`
		Config     Stage   `json:"modules-config"`
		Final      Stage   `json:"modules-final"`
	} `json:"v1"`
}

// ResultFile is result.json.
type ResultFile struct {
	V1 struct {
		DataSource string   `json:"datasource"`
		Errors     []string `json:"errors"`
	} `json:"v1"`
}

// UTCNow is the time as the logs have it.
func UTCNow() string { return time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000") }
