package azure

// Value dereferences an optional value of an SDK model; nil becomes the zero value.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
