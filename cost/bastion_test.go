package cost_test

import "testing"

// TestBastionPrices asks for meters whose names other services have, too.
func TestBastionPrices(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	p := w.prices(t.TempDir())
	for sku, want := range map[string]string{"Basic": "0.19 USD", "Standard": "0.29 USD", "Premium": "0.45 USD", "Developer": "0.00 USD"} {
		if got := text(p.Bastion(t.Context(), "westus2", sku).Money); got != want {
			t.Errorf("%s: %s, want %s", sku, got, want)
		}
	}
	if got := text(p.NATGateway(t.Context(), "westus2").Money); got != "0.045 USD" {
		t.Errorf("the gateway whose meter has the same name: %s", got)
	}
	if got := p.Bastion(t.Context(), "westus2", "Gold").Money; got != nil {
		t.Errorf("a SKU that does not exist costs %s", got)
	}
}
