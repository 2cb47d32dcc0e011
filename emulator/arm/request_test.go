package arm_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// TestAMistakeInAHandler: a handler that panics costs its own request and no other. All of them run behind one lock.
func TestAMistakeInAHandler(t *testing.T) {
	t.Parallel()
	s := arm.New(arm.Options{SubscriptionID: "s"})
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/broken", nil, func(*arm.Call) (*arm.Reply, error) {
		panic("a mistake")
	})
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/sound", nil, func(*arm.Call) (*arm.Reply, error) {
		return arm.OK(azjson.Object{"a": "b"}), nil
	})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://host"+path, nil))
		return w.Code, w.Body.String()
	}
	status, text := get("/subscriptions/s/broken")
	var o struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil || status != 500 || o.Error.Code != "InternalServerError" || !strings.Contains(o.Error.Message, "GET /subscriptions/s/broken") {
		t.Errorf("%d %s, %v", status, text, err)
	}
	if status, text := get("/subscriptions/s/sound"); status != 200 {
		t.Errorf("after that: %d %s", status, text)
	}
}
