//go:build az

package az_test

import (
	"net/http"
	"path/filepath"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

// signIn registers the cloud with nothing but its resource manager and signs in in each way.
func signIn(c *cli) {
	c = c.cli(c.T, "az", "") // knows nothing yet
	c.az("cloud register -n bare --endpoint-resource-manager " + c.Endpoint + " --profile 2020-09-01-hybrid")
	c.az("cloud set -n bare")
	cloud := c.az("cloud show -n bare")
	c.equal("profile", at(cloud, "profile"), "2020-09-01-hybrid")
	c.equal("authority", at(cloud, "endpoints", "activeDirectory"), c.Endpoint+"/adfs")
	c.equal("audience", at(cloud, "endpoints", "activeDirectoryResourceId"), c.Endpoint+"/")

	c.refused(1, "AADSTS7000215", "login --service-principal -u "+c.ClientID+" -p wrong --tenant "+c.TenantID)
	c.refused(1, "az login", "group list")

	c.az("login --service-principal -u " + c.ClientID + " -p @" + c.ClientSecretFile + " --tenant " + c.TenantID)
	c.want("servicePrincipal", "account show --query user.type")
	c.az("logout")

	pem := filepath.Join(c.home, "emulator", "principals", "certificate.pem")
	c.az("login --service-principal -u " + emulator.ClientIDOf("certificate") + " -p " + pem + " --tenant " + c.TenantID)
	c.want(emulator.ClientIDOf("certificate"), "account show --query user.name")
	c.az("group list")
	c.az("account clear")

	approve(c)
	c.az("login --use-device-code --tenant " + c.TenantID)
	c.want("user", "account show --query user.type")
	c.az("group list")
	c.az("account clear")

	approve(c)
	c.az("login --use-device-code") // asks for the tenants
	c.want(c.TenantID, "account show --query tenantId")
}

// approve does what the owner of the emulator does for the next device code: without that, it waits.
func approve(c *cli) {
	go func() {
		wait.Within(wait.Patience, func() bool {
			return c.Context().Err() != nil || emulator.DecideDevice(c.Context(), filepath.Join(c.home, "emulator"), "", true) == nil
		})
	}()
}

// accounts are az's own books about subscriptions.
func accounts(c *cli) {
	show := c.az("account show")
	c.equal("subscription", at(show, "id"), c.SubscriptionID)
	c.equal("tenant", at(show, "tenantId"), c.TenantID)
	all := list(c.az("account list --refresh"))
	c.equal("subscriptions", len(all), 1)
	c.equal("the first of them", at(all[0], "id"), c.SubscriptionID)
	stored := c.get("/subscriptions/"+c.SubscriptionID, "2016-06-01")
	c.equal("name", at(show, "name"), at(stored, "displayName"))
	c.equal("state", at(show, "state"), at(stored, "state"))
	c.az("account set -s " + c.SubscriptionID)

	token := object(c.az("account get-access-token"))
	c.equal("tenant of the token", token["tenant"], c.TenantID)
	expires, err := time.ParseInLocation("2006-01-02 15:04:05.000000", token["expiresOn"].(string), time.Local)
	if err != nil || time.Until(expires) < 50*time.Minute || time.Until(expires) > 61*time.Minute {
		c.Errorf("the token ends %v (%v)", token["expiresOn"], err)
	}
	if status, _ := c.ask(token["accessToken"].(string), "/subscriptions/"+c.SubscriptionID, "2021-01-01"); status != http.StatusOK {
		c.Errorf("the token is answered with %d", status)
	}
	if status, _ := c.ask("no-token", "/subscriptions/"+c.SubscriptionID, "2021-01-01"); status != http.StatusUnauthorized {
		c.Errorf("a wrong token is answered with %d", status)
	}

	places := list(c.az("account list-locations"))
	stored = c.get("/subscriptions/"+c.SubscriptionID+"/locations", "2019-11-01")
	c.equal("locations", len(places), len(list(stored["value"])))
	for i, l := range list(stored["value"]) {
		c.equal("location", at(places[i], "name"), at(l, "name"))
		c.equal("location", at(places[i], "displayName"), at(l, "displayName"))
	}
}
