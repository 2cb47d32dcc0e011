package launch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/azlin-dev/azlin/azure"
)

// Rehearse returns the exact writes that Run would send for the plans' VMs. It reads what exists and writes nothing. Custom
// data is left out of the bodies, because it holds the secret host key.
func (l *Launcher) Rehearse(ctx context.Context, plans ...*Plan) ([]azure.Write, error) {
	ctx, rehearsal := azure.Rehearse(ctx)
	for _, plan := range plans {
		config := plan.Config
		if plan.op.Provisional() {
			var err error
			if config.CustomData, err = plan.customData(); err != nil {
				return nil, err
			}
		}
		if _, err := l.Provisioner.Provision(ctx, config, nil); err != nil {
			return nil, err
		}
	}
	writes := rehearsal.Writes()
	for n := range writes {
		var err error
		if writes[n].Body, err = withoutSecrets(writes[n].Body); err != nil {
			return nil, err
		}
	}
	return writes, nil
}

// customDataPlace replaces the custom data.
const customDataPlace = "(secret: the cloud-init document with the VM's host key)"

func withoutSecrets(body json.RawMessage) (json.RawMessage, error) {
	var o map[string]any
	if len(body) == 0 || json.Unmarshal(body, &o) != nil {
		return body, nil
	}
	if properties, ok := o["properties"].(map[string]any); ok {
		if profile, ok := properties["osProfile"].(map[string]any); ok && profile["customData"] != nil {
			profile["customData"] = customDataPlace
		}
	}
	clean, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("show what would be sent: %w", err)
	}
	return clean, nil
}
