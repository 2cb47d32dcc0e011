package compute

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// maxCustomData is the length of custom data in base64 that Azure takes.
const maxCustomData = 87380

var hostName = regexp.MustCompile("^[^`~!@#$%^&*()=+_\\[\\]{}\\\\|;:'\",<>/?\\s]{1,64}$")

// forbiddenUsers are names that Azure does not let be the administrator's.
const forbiddenUsers = " administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5 "

// judgeOS judges the profile of a Linux system.
func judgeOS(vm *arm.Resource) error {
	os := azjson.Map(vm.Body, "properties", "osProfile")
	if os == nil {
		return arm.InvalidParameter("osProfile", "Required parameter 'osProfile' is missing (null).")
	}
	name := azjson.Str(os, "computerName")
	if name == "" {
		name = vm.Name()
		os["computerName"] = name
	}
	if !hostName.MatchString(name) || strings.Trim(name, "0123456789") == "" || strings.HasSuffix(name, "-") || strings.HasSuffix(name, ".") {
		return arm.InvalidParameter("computerName", "Linux host name cannot exceed 64 characters in length or contain the following characters: ` ~ ! @ # $ %% ^ & * ( ) = + _ [ ] { } \\\\ | ; : ' \\\" , < > / ?.")
	}
	user := azjson.Str(os, "adminUsername")
	if user == "" {
		return arm.InvalidParameter("adminUsername", "Required parameter 'adminUsername' is missing (null).")
	}
	if strings.Contains(forbiddenUsers, " "+strings.ToLower(user)+" ") || len(user) > 64 {
		return arm.InvalidParameter("adminUsername", "The Admin Username specified is not allowed.")
	}
	if azjson.Map(os, "windowsConfiguration") != nil {
		return arm.InvalidParameter("windowsConfiguration", "Parameter 'osProfile.windowsConfiguration' is not allowed.")
	}
	password := azjson.Str(os, "adminPassword")
	keys := azjson.List(os, "linuxConfiguration", "ssh", "publicKeys")
	if (password == "" || azjson.Bool(os, "linuxConfiguration", "disablePasswordAuthentication")) && len(keys) == 0 {
		return arm.InvalidParameter("linuxConfiguration", "Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	}
	if password != "" && !strong(password) {
		return arm.InvalidParameter("adminPassword", "The supplied password must be between 6-72 characters long and must satisfy at least 3 of password complexity requirements from the following:\r\n1) Contains an uppercase character\r\n2) Contains a lowercase character\r\n3) Contains a numeric digit\r\n4) Contains a special character\r\n5) Control characters are not allowed")
	}
	for _, k := range keys {
		if path := "/home/" + user + "/.ssh/authorized_keys"; azjson.Str(k, "path") != path {
			return arm.InvalidParameter("linuxConfiguration.ssh.publicKeys.path", "Destination path for SSH public keys is currently limited to its default value %s due to a known issue in Linux provisioning agent.", path)
		}
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(azjson.Str(k, "keyData"))); err != nil {
			return arm.InvalidParameter("linuxConfiguration.ssh.publicKeys.keyData", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
		}
	}
	return judgeCustomData(azjson.Str(os, "customData"))
}

func judgeCustomData(s string) error {
	if _, err := base64.StdEncoding.DecodeString(s); err != nil || len(s) > maxCustomData {
		return arm.InvalidParameter("customData", "Custom data in OSProfile must be in Base64 encoding and with a maximum length of %d characters.", maxCustomData)
	}
	return nil
}

func strong(password string) bool {
	var kinds [4]bool
	for _, r := range password {
		switch {
		case unicode.IsControl(r):
			return false
		case unicode.IsUpper(r):
			kinds[0] = true
		case unicode.IsLower(r):
			kinds[1] = true
		case unicode.IsDigit(r):
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	n := 0
	for _, k := range kinds {
		if k {
			n++
		}
	}
	return n >= 3 && len(password) >= 6 && len(password) <= 72
}
