package catalog

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// notInRegion explains why the region does not have the size, with alternatives: the region does not exist, the size does
// not exist, or only other regions have it.
func (s *Service) notInRegion(ctx context.Context, want request, cause error) error {
	if errkind.Of(cause) != errkind.Invalid {
		return cause // the reason could not be determined
	}
	regions, err := s.Regions(ctx)
	if err != nil {
		return cause
	}
	region := want.Region
	if !slices.ContainsFunc(regions, func(r Region) bool { return strings.EqualFold(r.Name, region) }) {
		return s.noSuchRegion(ctx, want, regions)
	}
	if s.Prices != nil && s.Prices.Known(want.Size) {
		for _, p := range s.places(ctx, Nearest(regions, region)) {
			if size, ok := sizeIn(p.sizes, want.Size); ok {
				want.size = size
				return s.refuse(ctx, want, &errkind.Error{
					Kind: errkind.Capacity, Op: "check size", Resource: want.size.Name, Code: "SkuNotAvailable",
					Err: errkind.New(errkind.Capacity, "region %s does not have it", region),
				})
			}
		}
	}
	want.size = guessSize(want.Size)
	return s.refuse(ctx, want, &errkind.Error{Err: cause, Next: errkind.Step{Action: errkind.ListSizes, Region: region}})
}

// noSuchRegion suggests the regions with the most similar names.
func (s *Service) noSuchRegion(ctx context.Context, want request, regions []Region) error {
	written := want.Region
	slices.SortStableFunc(regions, func(a, b Region) int {
		return cmp.Compare(edits(a.Name, written), edits(b.Name, written))
	})
	reason := errkind.New(errkind.Invalid, "the subscription has no region %q", written)
	reason.Next = errkind.Step{Action: errkind.ListRegions}
	want.size = guessSize(want.Size)
	places := s.places(ctx, regions)
	for _, p := range places {
		if size, ok := sizeIn(p.sizes, want.Size); ok {
			want.size = size
			break
		}
	}
	want.quotas = nil
	var found []Alternative
	for _, p := range places {
		near := nearestSizes(p, want)
		found = append(found, near[:min(1, len(near))]...)
	}
	return s.refusal(ctx, want, reason, found)
}

func sizeIn(sizes []Size, name string) (Size, bool) {
	i := slices.IndexFunc(sizes, func(z Size) bool { return strings.EqualFold(z.Name, name) })
	if i < 0 {
		return Size{}, false
	}
	return sizes[i], true
}

// guessSize derives a size's properties from its name, for a size that does not exist: series (NC, ND, NG and NV have GPUs),
// vCPUs, features (p is Arm), version.
func guessSize(name string) Size {
	n := nameOf(name)
	guess := Size{Name: name, VCPUs: 2, Architecture: "x64"} // two, when the name has no number
	if digits := strings.TrimLeft(strings.TrimPrefix(name, "Standard_"), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"); digits != "" {
		end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(digits)
		}
		if cores, err := strconv.Atoi(digits[:end]); err == nil && cores > 0 {
			guess.VCPUs = cores
		}
	}
	if slices.Contains([]string{"NC", "ND", "NG", "NV"}, n.series) {
		guess.GPUs = 1
	}
	if strings.Contains(n.features, "p") {
		guess.Architecture = "Arm64"
	}
	return guess
}

// edits is the edit distance of two names: how many letters must be added, removed, or changed.
func edits(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
