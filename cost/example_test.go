package cost_test

import (
	"fmt"

	"github.com/azlin-dev/azlin/cost"
)

func ExampleBuiltIn() {
	price := cost.BuiltIn("westus2", "Standard_D8s_v5")
	fmt.Println(price.OnDemand, "per hour,", price.OnDemand.PerMonth().Cents(), "per month, as of", price.Source.AsOf.Format("2006-01"))
	// Output: 0.384 USD per hour, 280.32 USD per month, as of 2026-06
}
