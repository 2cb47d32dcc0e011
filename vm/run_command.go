package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// CommandOutput is a script's output. Azure keeps the last 4096 bytes of each stream.
type CommandOutput struct {
	Stdout string
	Stderr string
}

// RunCommand runs a shell script as root through the VM's agent, without SSH, and waits for its end
// (virtualMachines/runCommand). Azure does not report the exit code. The VM must be running.
func (s *Service) RunCommand(ctx context.Context, ref Ref, script ...string) (CommandOutput, error) {
	ref, err := s.full(ref)
	if err != nil {
		return CommandOutput{}, err
	}
	resp, err := azure.Run(ctx, s.azure, "run a command on vm", ref.Name, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientRunCommandResponse], error) {
		return s.azure.VMs().BeginRunCommand(ctx, ref.ResourceGroup, ref.Name, armcompute.RunCommandInput{
			CommandID: new("RunShellScript"), Script: to.SliceOfPtrs(script...),
		}, nil)
	})
	if err != nil {
		return CommandOutput{}, err
	}
	var out CommandOutput
	for _, v := range resp.Value {
		if v == nil {
			continue
		}
		one := parseRunOutput(azure.Value(v.Message))
		out.Stdout += one.Stdout
		out.Stderr += one.Stderr
	}
	return out, nil
}

// parseRunOutput splits the text in which Azure returns both streams.
func parseRunOutput(message string) CommandOutput {
	const outMark, errMark = "[stdout]\n", "[stderr]\n"
	_, rest, ok := strings.Cut(message, outMark)
	if !ok {
		return CommandOutput{Stdout: message}
	}
	i := strings.LastIndex(rest, errMark)
	if i < 0 {
		return CommandOutput{Stdout: rest}
	}
	return CommandOutput{Stdout: strings.TrimSuffix(rest[:i], "\n"), Stderr: strings.TrimSuffix(rest[i+len(errMark):], "\n")}
}

// maxSerialLog limits how many bytes of a serial log are read.
const maxSerialLog = 16 << 20

// SerialLog reads the VM's serial console output (virtualMachines/retrieveBootDiagnosticsData). A VM without boot
// diagnostics is NotFound.
func (s *Service) SerialLog(ctx context.Context, ref Ref) ([]byte, error) {
	ref, err := s.full(ref)
	if err != nil {
		return nil, err
	}
	resp, err := s.azure.VMs().RetrieveBootDiagnosticsData(ctx, ref.ResourceGroup, ref.Name, nil)
	if err != nil {
		return nil, azure.Wrap("read the serial log of vm", ref.Name, err)
	}
	uri := azure.Value(resp.SerialConsoleLogBlobURI)
	if uri == "" {
		return nil, &errkind.Error{
			Kind: errkind.NotFound, Op: "read the serial log of vm", Resource: ref.Name,
			Err: errkind.New(errkind.NotFound, "boot diagnostics are off, or the VM has not booted yet"),
		}
	}
	return s.azure.FetchSigned(ctx, uri, maxSerialLog)
}
