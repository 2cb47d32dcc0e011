package money

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// HoursPerMonth is the number of hours in an estimated month.
const HoursPerMonth = 730

// Money is an amount in a currency. In JSON the amount is a number with all its digits.
type Money struct {
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"` // ISO 4217: "USD"
}

// MarshalJSON returns {"amount": 0.192, "currency": "USD"}, a number to calculate with.
func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Amount   json.Number `json:"amount"`
		Currency string      `json:"currency"`
	}{json.Number(m.Amount.String()), m.Currency})
}

// ErrCurrency is returned when amounts in different currencies are added.
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

// Times returns the amount multiplied by n.
func (m Money) Times(n int64) Money {
	return Money{m.Amount.Mul(decimal.NewFromInt(n)), m.Currency}
}

// PerMonth converts an hourly price to a month.
func (m Money) PerMonth() Money { return m.Times(HoursPerMonth) }

// PerHour converts a monthly price to an hour, rounded to a millionth.
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
