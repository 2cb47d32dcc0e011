package offer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
)

type sizesFlags struct {
	region, arch string
	cores        int
	memory       float64
	all          bool
}

func newSizesCommand(a Commands) *cobra.Command {
	var flags sizesFlags
	cmd := &cobra.Command{
		Use:   "sizes",
		Short: "List VM sizes with their prices",
		Long: `Lists the VM sizes available to the subscription in a region, cheapest first, with the list price of a running Linux VM. A
month has 730 hours. Disks, addresses and traffic are not included.

Prices come from Azure's retail price service and are cached for a day. If the service does not answer, azlin uses a
built-in list and shows its date.`,
		Example: `  azlin sizes --cores 4 --memory 16
  azlin sizes --arch arm64 --region eastus
  azlin sizes --all -o json --jq '.[] | select(.restriction != null) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sizes(cmd, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.region, "region", "", "region (default: the context's, or default_region)")
	f.IntVar(&flags.cores, "cores", 0, "only sizes with at least this many vCPUs")
	f.Float64Var(&flags.memory, "memory", 0, "only sizes with at least this many GiB of memory")
	f.StringVar(&flags.arch, "arch", "", "only sizes of this architecture: x64 or arm64")
	f.BoolVar(&flags.all, "all", false, "include sizes that are not available to the subscription")
	app.Complete(cmd, "arch", []string{"x64", "arm64"})
	app.Listing[sizeView](a.App, cmd, "restricted")
	return cmd
}

// sizeView is the JSON of a size. What is not known is null.
type sizeView struct {
	catalog.Size

	Region      string       `json:"region"`
	Available   bool         `json:"available"` // to the subscription, in a zone of the region at least
	Hourly      *cost.Money  `json:"price_hourly"`
	Monthly     *cost.Money  `json:"price_monthly"` // of 730 hours
	SpotHourly  *cost.Money  `json:"price_spot_hourly"`
	PriceSource *cost.Source `json:"price_source"`
}

func (a Commands) sizes(cmd *cobra.Command, flags sizesFlags) error {
	switch {
	case flags.arch != "" && !strings.EqualFold(flags.arch, "x64") && !strings.EqualFold(flags.arch, "arm64"):
		return app.Usage(cmd, "--arch %s: use x64 or arm64", flags.arch)
	case flags.cores < 0, flags.memory < 0:
		return app.Usage(cmd, "--cores and --memory: give numbers above zero")
	}
	ctx := cmd.Context()
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	region := cmp.Or(flags.region, s.Azure.Target().Region)
	sizes, err := s.Catalog.Sizes(ctx, region)
	if err != nil {
		return err
	}
	if len(sizes) == 0 {
		return &errkind.Error{Kind: errkind.NotFound, Err: fmt.Errorf("region %q has no VM sizes", region), Next: errkind.Step{Action: errkind.ListRegions}}
	}
	var names []string
	views := []sizeView{}
	hidden := 0
	for _, z := range sizes {
		if z.VCPUs < flags.cores || z.MemoryGiB < flags.memory || flags.arch != "" && !strings.EqualFold(z.Architecture, flags.arch) {
			continue
		}
		v := sizeView{Size: z, Region: region, Available: z.Check("") == nil}
		if !v.Available && !flags.all {
			hidden++
			continue
		}
		names = append(names, z.Name)
		views = append(views, v)
	}
	prices := s.Prices.VMs(ctx, region, names...)
	for n := range views {
		views[n].setPrice(prices.Sizes[views[n].Name])
	}
	slices.SortFunc(views, cheaper)
	return a.Output.Print(sizesView(views, hidden, prices.Failed))
}

func (v *sizeView) setPrice(p cost.VMPrice) {
	v.Hourly, v.SpotHourly = p.OnDemand, p.Spot
	if p.OnDemand != nil {
		v.Monthly = new(p.OnDemand.PerMonth())
	}
	if p.OnDemand != nil || p.Spot != nil {
		v.PriceSource = &p.Source
	}
}

// cheaper puts sizes without a known price last.
func cheaper(x, y sizeView) int {
	switch {
	case x.Hourly == nil && y.Hourly == nil:
	case x.Hourly == nil:
		return 1
	case y.Hourly == nil:
		return -1
	default:
		if c := x.Hourly.Amount.Cmp(y.Hourly.Amount); c != 0 {
			return c
		}
	}
	return cmp.Compare(x.Name, y.Name)
}

func sizesView(views []sizeView, hidden int, failed error) term.View {
	v := term.View{
		Data: views,
		Grid: term.Rows(views, []term.Column[sizeView]{
			{Name: "name", Value: func(z sizeView) string { return z.Name }},
			{Name: "vcpus", Value: func(z sizeView) string { return strconv.Itoa(z.VCPUs) }},
			{Name: "memory_gib", Value: func(z sizeView) string { return strconv.FormatFloat(z.MemoryGiB, 'g', -1, 64) }},
			{Name: "gpus", Value: func(z sizeView) string { return positive(z.GPUs) }, Wide: true},
			{Name: "architecture", Title: "arch", Value: func(z sizeView) string { return z.Architecture }},
			{Name: "zones", Value: func(z sizeView) string { return strings.Join(z.Zones, ",") }},
			{Name: "price_hourly", Title: "per hour", Value: func(z sizeView) string { return app.MoneyText(z.Hourly, cost.Money.String) }},
			{Name: "price_monthly", Title: "per month", Value: func(z sizeView) string { return app.MoneyText(z.Monthly, cost.Money.Cents) }},
			{Name: "price_spot_hourly", Title: "spot per hour", Value: func(z sizeView) string { return app.MoneyText(z.SpotHourly, cost.Money.String) }, Wide: true},
			{Name: "restricted", Value: restricted, Wide: true},
		}),
	}
	var notes []string
	for _, source := range sourcesOf(views) {
		notes = append(notes, "prices: "+app.SourceText(source))
	}
	if failed != nil {
		notes = append(notes, "the price service did not answer: "+failed.Error())
	}
	if len(views) == 0 {
		notes = append(notes, "no size fits")
	}
	if hidden > 0 {
		notes = append(notes, fmt.Sprintf("%d more are not offered to the subscription; show them with --all", hidden))
	}
	v.Note = strings.Join(notes, "\n")
	return v
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// restricted says why or where the subscription may not use the size.
func restricted(z sizeView) string {
	switch {
	case z.Restriction != "":
		return z.Restriction
	case len(z.RestrictedZones) > 0:
		return "not in zone " + strings.Join(z.RestrictedZones, ", ")
	}
	return "no"
}

// sourcesOf are the sources of the prices: by day, however many requests they took.
func sourcesOf(views []sizeView) []cost.Source {
	var all []cost.Source
	for _, v := range views {
		if v.PriceSource != nil && !slices.ContainsFunc(all, func(s cost.Source) bool { return app.SourceText(s) == app.SourceText(*v.PriceSource) }) {
			all = append(all, *v.PriceSource)
		}
	}
	return all
}
