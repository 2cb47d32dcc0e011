package app

import (
	"runtime"

	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/notify"
)

// notifier is how this person wants to be told that something has ended.
func (a *App) notifier(c config.Config) *notify.Notifier {
	n := notify.Config{
		Command: c.Notifier(), URL: c.NotificationWebhook,
		Headless: runtime.GOOS == "linux" && a.Env.Display == "",
	}
	for _, channel := range c.NotificationChannels {
		n.Channels = append(n.Channels, notify.Channel(channel))
	}
	return notify.New(n)
}
