package bastion

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network"
)

const (
	chunk      = 4096    // bytes in a message to the client
	maxMessage = 1 << 20 // bytes in a message from the client
)

func contextFrom(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(parent)
}

// tunnel takes the websocket of a ticket and joins it with its target. needNode says that the client must name the
// node that the token told.
func (s *Server) tunnel(w http.ResponseWriter, r *http.Request, b network.Bastion, name, node string, needNode bool) {
	s.mu.Lock()
	k, ok := s.tickets[name]
	s.mu.Unlock()
	switch {
	case !ok || k.session.bastion != resourceid.Key(b.ID) || time.Now().After(k.until) || k.session.ctx.Err() != nil:
		refuse(w, Refusal{http.StatusUnauthorized, "The token is not valid."})
		return
	case node != k.session.node && (needNode || node != ""):
		refuse(w, *noNode())
		return
	}
	s.mu.Lock()
	_, ok = s.tickets[name]
	delete(s.tickets, name)
	s.mu.Unlock()
	if !ok { // another one was faster
		refuse(w, Refusal{http.StatusUnauthorized, "The token is not valid."})
		return
	}
	// The client is let in before its target is tried: that is not there, or not open, is seen by the websocket
	// closing.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.log.Debug("bastion: no websocket", "err", err)
		return
	}
	ws.SetReadLimit(maxMessage)
	s.join(ws, b, k.session)
}

// join carries bytes both ways until either side ends. The request's own context is not used: it may end with the
// handshake.
func (s *Server) join(ws *websocket.Conn, b network.Bastion, x *session) {
	ctx, cancel := context.WithCancel(x.ctx)
	defer cancel()
	target, err := s.cloud.Dial(ctx, b, x.target)
	if err != nil {
		s.log.Debug("bastion: target", "resource", x.target.Resource, "err", err)
		_ = ws.Close(websocket.StatusInternalError, "The target could not be reached.") // that is the message
		return
	}
	defer target.Close()
	stop := context.AfterFunc(ctx, func() { target.Close() })
	defer stop()
	go func() {
		defer cancel()
		for {
			kind, data, err := ws.Read(ctx)
			if err != nil || kind != websocket.MessageBinary || len(data) == 0 {
				return
			}
			if _, err := target.Write(data); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, chunk)
	for {
		n, err := target.Read(buf)
		if n > 0 {
			if ws.Write(ctx, websocket.MessageBinary, buf[:n]) != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = ws.Close(websocket.StatusNormalClosure, "") // the other side may be gone
}
