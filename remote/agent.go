package remote

import (
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// forwardAgent forwards the local agent to one session. The connection's handler for agent channels is registered once, for
// the first session that needs it.
func (c *Client) forwardAgent(session *ssh.Session) error {
	var err error
	c.agentOnce.Do(func() { err = agent.ForwardToRemote(c.ssh, c.host.AgentSocket) })
	if err != nil {
		return err
	}
	return agent.RequestAgentForwarding(session)
}
