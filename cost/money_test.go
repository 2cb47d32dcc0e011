package cost_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/cost"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func body(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func usd(t *testing.T, s string) cost.Money {
	t.Helper()
	m, err := cost.USD(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMoney(t *testing.T) {
	t.Parallel()
	m := usd(t, "0.192")
	if got := m.PerMonth().Cents(); got != "140.16 USD" {
		t.Errorf("a month: %s", got)
	}
	if got := m.PerMonth().PerHour().String(); got != "0.192000 USD" {
		t.Errorf("there and back: %s", got)
	}
	if got := usd(t, "5").String(); got != "5.00 USD" {
		t.Errorf("five: %s", got)
	}
	data, err := json.Marshal(m)
	if err != nil || string(data) != `{"amount":0.192,"currency":"USD"}` {
		t.Errorf("JSON: %s, %v", data, err)
	}
	var back cost.Money
	if err := json.Unmarshal(data, &back); err != nil || !back.Amount.Equal(m.Amount) {
		t.Errorf("read again: %v, %v", back, err)
	}
	sum, err := cost.Money{}.Add(m)
	if err == nil {
		sum, err = sum.Add(usd(t, "0.1"))
	}
	if err != nil || sum.String() != "0.292 USD" { // and not 0.29200000000000004
		t.Errorf("sum %s, %v", sum, err)
	}
	if _, err := m.Add(cost.Money{Amount: m.Amount, Currency: "EUR"}); !errors.Is(err, cost.ErrCurrency) {
		t.Errorf("dollars and euros: %v", err)
	}
	if _, err := cost.USD("free"); err == nil {
		t.Error("a word is an amount")
	}
}

func TestDiskTier(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]cost.Disk{
		"P4 LRS":  {Type: "Premium_LRS", SizeGB: 30},
		"P10 LRS": {Type: "Premium_LRS", SizeGB: 65},
		"E10 LRS": {Type: "StandardSSD_LRS", SizeGB: 128},
		"E15 ZRS": {Type: "StandardSSD_ZRS", SizeGB: 129},
		"P1 LRS":  {Type: "Premium_LRS", SizeGB: 1},
		"S4 LRS":  {Type: "Standard_LRS", SizeGB: 1},
		"P80 LRS": {Type: "Premium_LRS", SizeGB: 32767},
	} {
		if got, ok := cost.DiskTier(d); !ok || got != want {
			t.Errorf("%+v: %s, want %s", d, got, want)
		}
	}
	for _, d := range []cost.Disk{{"UltraSSD_LRS", 10}, {"PremiumV2_LRS", 10}, {"Premium_LRS", 0}, {"Premium_LRS", 40000}, {"", 10}, {"Standard_ZRS", 10}} {
		if got, ok := cost.DiskTier(d); ok {
			t.Errorf("%+v is %s", d, got)
		}
	}
}

func TestBuiltInList(t *testing.T) {
	t.Parallel()
	if !cost.Known("standard_d4s_v5") || cost.Known("Standard_Nonsense") {
		t.Error("what is on the list is not known, or the other way round")
	}
	for _, tc := range [][3]string{
		{"westus2", "Standard_D4s_v5", "0.192 USD"},
		{"West US 2", "STANDARD_B2S", "0.0416 USD"},
		{"westus2", "Standard_NC4as_T4_v3", "0.526 USD"},
		{"westus2", "Standard_Nonsense", "-"},
		{"atlantis", "Standard_D4s_v5", "-"},
		{"size", "size", "-"},
	} {
		if got := text(cost.BuiltIn(tc[0], tc[1]).OnDemand); got != tc[2] {
			t.Errorf("%s in %s: %s, want %s", tc[1], tc[0], got, tc[2])
		}
	}
}
