package vm

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
)

// powerKinds are the power operations, which continue in Azure by themselves.
func powerKinds() []change.Kind {
	return []change.Kind{change.Start, change.Stop, change.Deallocate, change.Restart}
}

// Handler finds and resumes power operations whose end was not awaited.
func (s *Service) Handler() change.Handler {
	return change.Handler{
		Kinds: powerKinds(),
		Stays: "Azure has accepted it, and it cannot be called back: wait for it, or forget it",
		Resume: func(_ context.Context, u change.Unfinished) (change.Plan, error) {
			return change.Plan{
				Steps: []string{"wait until Azure has done it: " + string(u.Kind) + " " + u.VM},
				Run: func(ctx context.Context, report func(string)) (any, error) {
					return s.Await(ctx, LifecycleResult{
						Ref: Ref{Name: u.VM, ResourceGroup: u.ResourceGroup}, Operation: string(u.Kind), OperationID: u.File.AzureID, ResumeToken: u.File.ResumeToken,
					}, func(o azure.OperationState) { report(o.Status) })
				},
			}, nil
		},
	}
}

// Remember stores power operations that are still running. Each replaces an earlier one on the same VM.
func (s *Service) Remember(store change.Store, results []LifecycleResult) error {
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		op := change.Make(change.Kind(r.Operation), s.azure.SubscriptionID(), r.ResourceGroup, r.Name, time.Now())
		op.AzureID, op.ResumeToken = r.OperationID, r.ResumeToken
		if err := store.Replace(op, r.ResumeToken != "", powerKinds()...); err != nil {
			return err
		}
	}
	return nil
}
