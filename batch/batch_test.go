package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
)

// TestRun: results in order, never more at once than allowed, and each with its own deadline.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		items := make([]int, 40)
		for n := range items {
			items[n] = n
		}
		var now, most atomic.Int32
		began := time.Now()
		results := batch.Run(t.Context(), items, batch.Options{Workers: 8, Each: 10 * time.Second}, func(ctx context.Context, n int) (string, error) {
			if at := now.Add(1); at > most.Load() {
				most.Store(at)
			}
			defer now.Add(-1)
			wait := time.Second
			if n == 7 {
				wait = time.Hour
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(wait):
			}
			if n == 3 {
				return "", errkind.New(errkind.Conflict, "it is busy")
			}
			return fmt.Sprint(n), nil
		})
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		if most.Load() != 8 {
			t.Errorf("%d at once", most.Load())
		}
		for n, r := range results {
			switch n {
			case 3:
				if errkind.Of(r.Err) != errkind.Conflict || r.Took != time.Second {
					t.Errorf("3: %v after %s", r.Err, r.Took)
				}
			case 7:
				if !errors.Is(r.Err, batch.ErrLate) || errkind.Of(r.Err) != errkind.Unreachable || r.Took != 10*time.Second {
					t.Errorf("7: %v after %s", r.Err, r.Took)
				}
			default:
				if r.Err != nil || r.Value != fmt.Sprint(n) {
					t.Errorf("%d: %q, %v", n, r.Value, r.Err)
				}
			}
		}
	})
}

// TestRunCancelled: what was begun ends in its own way, what was not begun says why it was not.
func TestRunCancelled(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	results := batch.Run(ctx, []int{0, 1, 2}, batch.Options{Workers: 1}, func(_ context.Context, n int) (int, error) {
		if n == 0 {
			cancel(stop)
		}
		return n, nil
	})
	if results[0].Err != nil || !errors.Is(results[1].Err, stop) || !errors.Is(results[2].Err, stop) || results[2].Took != 0 {
		t.Errorf("%+v", results)
	}
}

func TestErr(t *testing.T) {
	t.Parallel()
	busy, gone := errkind.New(errkind.Conflict, "stop web-01: it is busy"), errkind.New(errkind.NotFound, "it is gone")
	for name, tc := range map[string]struct {
		total  int
		failed []batch.Failure
		kind   errkind.Kind
		text   string
	}{
		"nothing failed":      {total: 3},
		"one of one":          {total: 1, failed: []batch.Failure{{"web-01", busy}}, kind: errkind.Conflict, text: "stop web-01: it is busy"},
		"one of two":          {total: 2, failed: []batch.Failure{{"web-01", busy}}, kind: errkind.Partial, text: "stop: 1 of 2 failed\nstop web-01: it is busy"},
		"all, for one reason": {total: 2, failed: []batch.Failure{{"a", gone}, {"b", gone}}, kind: errkind.NotFound, text: "stop: 2 of 2 failed\na: it is gone\nb: it is gone"},
		"all, each its own":   {total: 2, failed: []batch.Failure{{"web-01", busy}, {"b", gone}}, kind: errkind.Partial, text: "stop: 2 of 2 failed\nstop web-01: it is busy\nb: it is gone"},
	} {
		err := batch.Err("stop", tc.total, tc.failed, errkind.Step{})
		switch {
		case tc.failed == nil:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case errkind.Of(err) != tc.kind || err.Error() != tc.text || !errors.Is(err, tc.failed[0].Err):
			t.Errorf("%s: %q, %s", name, err, errkind.Of(err))
		}
	}
	again := errkind.Step{Action: errkind.StopVM, VM: "web-01"}
	err := batch.Err("stop", 2, []batch.Failure{{"web-01", busy}}, again)
	if next := errkind.Next(err); next != again {
		t.Errorf("next: %+v", next)
	}
	if n := strings.Count(err.Error(), "web-01"); n != 1 {
		t.Errorf("named %d times: %v", n, err)
	}
}

// TestRunKeepsWhatAFailureSays: what is left over is not lost when the time is up or the run is stopped.
func TestRunKeepsWhatAFailureSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work := func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, &errkind.Error{Op: "create", LeftOver: []string{"disk"}, Err: ctx.Err()}
		}
		late := batch.Run(t.Context(), []int{1}, batch.Options{Each: time.Second}, work)[0].Err
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		stopped := batch.Run(ctx, []int{1}, batch.Options{}, work)[0].Err
		for name, err := range map[string]error{"late": late, "stopped": stopped} {
			left := 0
			for e := range errkind.All(err) {
				left += len(e.LeftOver)
			}
			if left != 1 {
				t.Errorf("%s: %v says nothing of what is left over", name, err)
			}
		}
		if !errors.Is(late, batch.ErrLate) || errkind.Of(late) != errkind.Unreachable || errkind.Of(stopped) != errkind.Cancelled {
			t.Errorf("%v (%s), %v (%s)", late, errkind.Of(late), stopped, errkind.Of(stopped))
		}
	})
}
