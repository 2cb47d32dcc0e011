package resources

func (p *provider) deployments() {}
