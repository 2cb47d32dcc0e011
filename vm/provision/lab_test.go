package provision_test

import (
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm/provision"
)

const (
	group  = lab.Group
	region = lab.Region
	key    = lab.Key
)

func config(name string) provision.Config { return lab.Config(name) }
