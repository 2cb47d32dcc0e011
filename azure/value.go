package azure

// Value reads an optional value of an SDK model; the zero value stands for absent.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
