package money

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// HoursPerMonth is what a month of running is estimated with.
const HoursPerMonth = 730

// Money is an amount in a currency. Its JSON has the amount as a number, with all its digits.
type Money struct {
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"` // ISO 4217: "USD"
}

// MarshalJSON gives {"amount": 0.192, "currency": "USD"}: what reads it can calculate with it.
func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Amount   json.Number `json:"amount"`
		Currency string      `json:"currency"`
	}{json.Number(m.Amount.String()), m.Currency})
}

// ErrCurrency is returned when amounts in different currencies are to be added.
var ErrCurrency = errors.New("amounts are in different currencies")

// USD is an amount in US dollars, for example USD("0.192").
func USD(amount string) (Money, error) {
	d, err := decimal.NewFromString(amount)
	if err != nil {
		return Money{}, fmt.Errorf("amount %q: %w", amount, err)
	}
	return Money{Amount: d, Currency: "USD"}, nil
}

// Add returns the sum. Adding to the zero Money gives other.
func (m Money) Add(other Money) (Money, error) {
	switch {
	case m.Currency == "":
		return other, nil
	case other.Currency != m.Currency:
		return Money{}, fmt.Errorf("add %s and %s: %w", m, other, ErrCurrency)
	}
	return Money{m.Amount.Add(other.Amount), m.Currency}, nil
}

// Times returns the amount n times.
func (m Money) Times(n int64) Money {
	return Money{m.Amount.Mul(decimal.NewFromInt(n)), m.Currency}
}

// PerMonth is what an hourly price comes to in a month of running.
func (m Money) PerMonth() Money { return m.Times(HoursPerMonth) }

// PerHour is what a monthly price comes to in an hour, to a millionth.
func (m Money) PerHour() Money {
	return Money{m.Amount.DivRound(decimal.NewFromInt(HoursPerMonth), 6), m.Currency}
}

// String is "0.192 USD", with two decimals at least.
func (m Money) String() string {
	return m.text(max(2, min(6, -m.Amount.Exponent())))
}

// Cents is the amount rounded to cents: "140.16 USD".
func (m Money) Cents() string { return m.text(2) }

func (m Money) text(places int32) string {
	s := m.Amount.StringFixed(places)
	if m.Currency == "" {
		return s
	}
	return s + " " + m.Currency
}
