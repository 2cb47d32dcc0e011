package azure

// Report reports a step of a long operation; report may be nil.
func Report(report func(step string), step string) {
	if report != nil {
		report(step)
	}
}
