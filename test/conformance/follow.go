package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An operation is over within this time, or it has failed.
const patience = 20 * time.Minute

// follow sees an operation through, and judges every answer on the way. resource is path and query of the
// request that began it.
func (r *run) follow(ctx context.Context, c Case, began answer, resource []string) error {
	poll := began.header.Get("Azure-Asyncoperation")
	if poll == "" {
		poll = began.header.Get("Location")
	}
	until := time.Now().Add(patience)
	rate := map[string]string{"compute": "GetOperation", "disk": "GetOperation", "gallery": "GetOperationStatus"}[c.Wait]
	like := Case{Name: c.Name, File: c.File, Rate: rate, Wait: c.Wait}
	var last answer
	for previous := began; ; previous = last {
		if time.Now().After(until) {
			return fmt.Errorf("the operation is not over after %s", patience)
		}
		if err := r.pause(ctx, previous); err != nil {
			return err
		}
		a, err := r.send(ctx, http.MethodGet, poll, Case{})
		if err != nil {
			return err
		}
		last = a
		over, shape, headers := r.progress(c, began, a)
		r.judgePoll(like, poll, a, shape, headers)
		if len(r.found) > 0 || over {
			break
		}
	}
	if len(r.found) > 0 {
		return nil
	}
	return r.result(ctx, c, began, last, resource)
}

// progress says what an answer of an operation under way looks like, and whether the operation is over.
func (r *run) progress(c Case, began, a answer) (over bool, shape any, headers map[string]string) {
	status, _ := object(a.body)["status"].(string)
	waiting := map[string]string{"Retry-After": "re:[1-9]\\d*"}
	if began.header.Get("Retry-After") == "" { // then it is not said later either
		waiting = map[string]string{}
	}
	switch c.Wait {
	case "group", "history", "storage":
		if a.status == http.StatusAccepted {
			waiting["Location"] = `re:https://\S+`
			return false, nil, waiting
		}
		if c.Wait == "storage" {
			return true, map[string]any{"...": nil}, nil
		}
		return true, nil, nil
	case "deployment":
		return status != "Running" && status != "Accepted", map[string]any{"status": "re:Running|Accepted|Succeeded"}, nil
	case "network":
		if status == "InProgress" {
			return false, map[string]any{"status": "InProgress"}, waiting
		}
		return true, map[string]any{"status": "Succeeded"}, nil
	}
	o := map[string]any{"startTime": "<time>", "status": "InProgress", "name": "<guid>"}
	if status == "InProgress" {
		if p := waiting["Retry-After"]; p != "" && !r.Strict {
			waiting["Retry-After"] = p + " ?" // as recorded: only the first has one
		}
		return false, o, waiting
	}
	o["endTime"], o["status"] = "<time>", "Succeeded"
	method, _, _ := strings.Cut(c.Request, " ")
	switch {
	case c.Output != nil:
		o["properties"] = map[string]any{"output": r.fillAll(c.Output)}
	case c.Wait == "disk" && (method == http.MethodPut || method == http.MethodPatch):
		o["properties"] = map[string]any{"output": map[string]any{"...": nil}}
	}
	return true, o, nil
}

func (r *run) judgePoll(c Case, poll string, a answer, shape any, headers map[string]string) {
	c.Status = a.status
	over := http.StatusOK
	if c.Wait == "history" {
		over = http.StatusNoContent
	}
	if a.status != over && a.status != http.StatusAccepted {
		r.differ("the operation answers %d: %s", a.status, a.raw)
		return
	}
	if a.status == http.StatusAccepted && len(a.raw) > 0 {
		r.differ("202 with a body: %s", a.raw)
	}
	r.judge(c, http.MethodGet, poll, a, a.status, shape, headers)
	for i, f := range r.found {
		r.found[i] = "its operation: " + f
	}
}

// result holds what an operation ends in against the resource itself.
func (r *run) result(ctx context.Context, c Case, began, last answer, resource []string) error {
	method, _, _ := strings.Cut(c.Request, " ")
	switch {
	case c.Wait == "disk" && (method == http.MethodPut || method == http.MethodPatch), c.Wait == "storage":
		path := strings.Join(resource, "?")
		got, err := r.send(ctx, http.MethodGet, r.at(path), Case{})
		if err != nil {
			return err
		}
		r.judge(Case{Rate: map[string]string{"disk": "LowCostGet"}[c.Wait]}, http.MethodGet, path, got, http.StatusOK, map[string]any{"...": nil}, nil)
		shown := last.body
		if c.Wait == "disk" {
			props, _ := object(last.body)["properties"].(map[string]any)
			shown = props["output"]
		}
		a, _ := json.Marshal(shown)
		if b, _ := json.Marshal(got.body); string(a) != string(b) {
			r.differ("the operation's result is %s, the resource is %s", a, b)
		}
	case method != http.MethodPut && began.header.Get("Azure-Asyncoperation") != "" && began.header.Get("Location") != "":
		a, err := r.send(ctx, http.MethodGet, began.header.Get("Location"), Case{})
		if err != nil {
			return err
		}
		rate := map[string]string{"compute": "GetOperation", "disk": "GetOperation", "gallery": "GetOperationStatus"}[c.Wait]
		want, headers := http.StatusOK, map[string]string(nil)
		if c.Wait == "network" {
			want, headers = http.StatusNoContent, map[string]string{
				"Azure-Asyncoperation": `re:https://\S+/operations/<guid>\?api-version=\S+ ?`, "Azure-Asyncnotification": "Enabled ?",
				"Location": `re:https://\S+/operationResults/<guid>\?api-version=\S+ ?`, "Content-Type": "application/json; charset=utf-8 ?",
			}
		}
		switch {
		case a.status == want, !r.Strict && c.Output == nil && (a.status == http.StatusOK || a.status == http.StatusNoContent): // clients take both
			r.judge(Case{Status: a.status, Rate: rate}, http.MethodGet, began.header.Get("Location"), a, a.status, c.Output, headers)
		default:
			r.differ("Location ends in %d: %s", a.status, a.raw)
		}
	}
	return nil
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}
