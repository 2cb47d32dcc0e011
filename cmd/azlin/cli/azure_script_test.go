package cli_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
)

// askAzure sends a request about a resource of the group azlin-rg to the script's emulator, as somebody does who works
// with something else than azlin: azure METHOD PROVIDER/TYPE/NAME VERSION [FILE].
func askAzure(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || len(args) > 4 || neg {
		ts.Fatalf("usage: azure METHOD PROVIDER/TYPE/NAME VERSION [FILE]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status, err := emulator.Read(ctx, filepath.Join(ts.Getenv("AZLIN_CONFIG_DIR"), "emulator"))
	ts.Check(err)
	door, err := local.DoorOf(status)
	ts.Check(err)
	var body any
	if len(args) == 4 {
		body = json.RawMessage(ts.ReadFile(args[3]))
	}
	_, err = door.Do(ctx, args[0], "/subscriptions/"+status.SubscriptionID+"/resourceGroups/azlin-rg/providers/"+args[1], args[2], body)
	ts.Check(err)
}
