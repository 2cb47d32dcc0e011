#!/bin/bash
# Drives the real Azure CLI against an emulator. Needs BASE, CA, TENANT, CLIENT_ID, SECRET_FILE and
# AZURE_CONFIG_DIR, a scratch directory: the user's own ~/.azure is never touched.
set -euo pipefail
: "${AZLIN:?}" "${BASE:?}" "${CA:?}" "${TENANT:?}" "${CLIENT_ID:?}" "${SECRET_FILE:?}" "${AZURE_CONFIG_DIR:?}"
export REQUESTS_CA_BUNDLE=$CA SSL_CERT_FILE=$CA
export AZURE_CORE_COLLECT_TELEMETRY=false AZURE_CORE_NO_COLOR=true AZURE_CORE_SURVEY_MESSAGE=false
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
unset AZURE_CLOUD_NAME

fail() { echo "FAIL: $*" >&2; exit 1; }
# same WHAT GOT WANT
same() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; echo "ok   $1"; }

# The authority must end in /adfs: only then does az skip the instance discovery at login.microsoftonline.com.
cat >"$AZURE_CONFIG_DIR/cloud.json" <<J
{"profile":"2020-09-01-hybrid",
 "endpoints":{"resourceManager":"$BASE","management":"$BASE","gallery":"$BASE","activeDirectory":"$BASE/adfs",
  "activeDirectoryResourceId":"$BASE/","activeDirectoryGraphResourceId":"$BASE/graph","microsoftGraphResourceId":"$BASE/graph",
  "vmImageAliasDoc":"$BASE/aliases.json"},
 "suffixes":{"storageEndpoint":"core.local","keyvaultDns":".vault.local","acrLoginServerEndpoint":".azurecr.local","sqlServerHostname":".database.local"}}
J
az cloud register -n emulator --cloud-config @"$AZURE_CONFIG_DIR/cloud.json"
az cloud set -n emulator 2>/dev/null

if az login --service-principal -u "$CLIENT_ID" -p wrong --tenant "$TENANT" 2>"$AZURE_CONFIG_DIR/err"; then fail "login with a wrong secret"; fi
grep -q AADSTS7000215 "$AZURE_CONFIG_DIR/err" || fail "wrong secret: $(cat "$AZURE_CONFIG_DIR/err")"
az login --service-principal -u "$CLIENT_ID" -p "$(cat "$SECRET_FILE")" --tenant "$TENANT" -o none
same "account" "$(az account show --query tenantId -o tsv)" "$TENANT"
same "locations" "$(az account list-locations --query "[?name=='westus2'].name" -o tsv)" westus2

same "group create" "$(az group create -n recipe -l westus2 --query properties.provisioningState -o tsv)" Succeeded
same "group exists" "$(az group exists -n recipe)" true
key=$AZURE_CONFIG_DIR/key
ssh-keygen -q -t ed25519 -N '' -f "$key"
az vm create -g recipe -n v1 --image Ubuntu2204 --size Standard_B1s --admin-username azureuser --ssh-key-values "$key.pub" --tags a=b -o json >"$AZURE_CONFIG_DIR/vm.json"
same "vm create" "$(jq -r .powerState <"$AZURE_CONFIG_DIR/vm.json" 2>/dev/null || sed -n 's/.*"powerState": "\(.*\)".*/\1/p' "$AZURE_CONFIG_DIR/vm.json")" "VM running"
same "vm list" "$(az vm list -g recipe --query '[].name' -o tsv)" v1
same "vm list -d" "$(az vm list -d --query '[0].powerState' -o tsv)" "VM running"
case "$(az vm show -d -g recipe -n v1 --query publicIps -o tsv)" in 127.77.*) echo "ok   vm show -d" ;; *) fail "vm show -d: no public address" ;; esac

# azlin sees the VM that az made, learns its host key from Azure, and runs a command on it.
azlin() { env -u SSL_CERT_FILE "$AZLIN" --context emulator "$@"; }
same "azlin list" "$(azlin list -g recipe -o json --jq '"\(.vms | length) shown, \(.hidden) hidden"')" "0 shown, 1 hidden"
same "azlin list --all" "$(azlin list --all -g recipe -o tsv --query 'vms[].[name, power_state, managed]' | tr '\t' ' ')" '["v1","running",false]'
same "azlin exec" "$(azlin exec v1 --key "$key" -- hostname)" v1
azlin kill v1 --yes 2>"$AZURE_CONFIG_DIR/err" && fail "azlin deleted a VM that is not its own"
grep -q foreign "$AZURE_CONFIG_DIR/err" || fail "azlin kill: $(cat "$AZURE_CONFIG_DIR/err")"
azlin adopt v1 --session work >/dev/null
same "azlin adopt" "$(azlin list -g recipe --jq '.vms[0].session_name')" work
same "get-instance-view" "$(az vm get-instance-view -g recipe -n v1 --query 'instanceView.statuses[0].code' -o tsv)" ProvisioningState/succeeded
same "list-ip-addresses" "$(az vm list-ip-addresses -g recipe -n v1 --query '[0].virtualMachine.name' -o tsv)" v1
same "vm update" "$(az vm update -g recipe -n v1 --set tags.x=y --query tags.x -o tsv)" y
az vm open-port -g recipe -n v1 --port 80 -o none && echo "ok   vm open-port"
same "rules" "$(az network nsg rule list -g recipe --nsg-name v1NSG --query 'length(@)' -o tsv)" 2
same "public-ip list" "$(az network public-ip list -g recipe --query 'length(@)' -o tsv)" 1
same "nic list" "$(az network nic list -g recipe --query 'length(@)' -o tsv)" 1
same "vnet list" "$(az network vnet list -g recipe --query '[0].subnets[0].addressPrefix' -o tsv)" 10.0.0.0/24
az vm deallocate -g recipe -n v1 -o none
same "deallocate" "$(az vm show -d -g recipe -n v1 --query powerState -o tsv)" "VM deallocated"
az vm resize -g recipe -n v1 --size Standard_B2s -o none
az vm start -g recipe -n v1 -o none
az vm restart -g recipe -n v1 -o none
az vm stop -g recipe -n v1 -o none 2>/dev/null
same "stop" "$(az vm show -d -g recipe -n v1 --query powerState -o tsv)" "VM stopped"
az vm start -g recipe -n v1 -o none
same "run-command" "$(az vm run-command invoke -g recipe -n v1 --command-id RunShellScript --scripts 'echo hi' --query 'value[0].code' -o tsv)" ProvisioningState/succeeded
az vm user update -g recipe -n v1 -u other --ssh-key-value "$key.pub" -o none && echo "ok   vm user update"
same "disk list" "$(az disk list -g recipe --query '[0].diskState' -o tsv)" Attached
same "disk create" "$(az disk create -g recipe -n d1 --size-gb 8 --query provisioningState -o tsv)" Succeeded
az vm disk attach -g recipe --vm-name v1 -n d1 -o none
same "disk attach" "$(az disk show -g recipe -n d1 --query diskState -o tsv)" Attached
if az disk delete -g recipe -n d1 --yes 2>/dev/null; then fail "an attached disk was deleted"; fi
az vm disk detach -g recipe --vm-name v1 -n d1 -o none
az disk delete -g recipe -n d1 --yes -o none && echo "ok   disk delete"
os=$(az disk list -g recipe --query '[0].name' -o tsv)
same "snapshot create" "$(az snapshot create -g recipe -n s1 --source "$os" --query provisioningState -o tsv)" Succeeded
same "snapshot list" "$(az snapshot list -g recipe --query '[].name' -o tsv)" s1
same "list-usage" "$(az vm list-usage -l westus2 --query "[?name.value=='cores'].currentValue" -o tsv)" 2
same "list-sizes" "$(az vm list-sizes -l westus2 --query "[?name=='Standard_B2s'].memoryInMb" -o tsv)" 4096
id=$(az vm show -g recipe -n v1 --query id -o tsv)
same "tag create" "$(az tag update --resource-id "$id" --operation Merge --tags k=v --query properties.tags.k -o tsv)" v
same "resource list" "$(az resource list --tag k=v --query '[].name' -o tsv)" v1
same "resource show" "$(az resource show --ids "$id" --query name -o tsv)" v1
same "deployment list" "$(az deployment group list -g recipe --query '[0].properties.provisioningState' -o tsv)" Succeeded
az lock create -n keep --lock-type CanNotDelete -g recipe -o none
if az vm delete -g recipe -n v1 --yes 2>/dev/null; then fail "a locked VM was deleted"; fi
az lock delete -n keep -g recipe && echo "ok   lock"
az vm delete -g recipe -n v1 --yes -o none
same "vm delete" "$(az vm list -g recipe --query 'length(@)' -o tsv)" 0
if az vm show -g recipe -n v1 2>/dev/null; then fail "a deleted VM is shown"; else same "exit code of a missing VM" $? 3; fi
az group delete -n recipe --yes
same "group delete" "$(az group exists -n recipe)" false
echo RECIPE-OK
