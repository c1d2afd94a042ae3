package support

import (
	"bytes"
	"fmt"
	"slices"

	"posthouse/appliance/config"
)

// toldSettings are the keys whose values a support bundle may hold: numbers,
// sizes, times, switches and choices from a list. Of every other key, and of
// every key to come, it tells only whether it is the default.
func toldSettings() []string {
	return []string{
		"server.language", "server.offline_pages",
		"tls.mode", "tls.leaf_days",
		"limits.frame_bytes", "limits.body_bytes", "limits.upload_bytes", "limits.header_bytes", "limits.connections", "limits.connections_per_address",
		"limits.sockets_per_user", "limits.messages_per_second", "limits.messages_burst", "limits.requests_per_second", "limits.requests_burst",
		"limits.message_bytes", "limits.members_per_room", "limits.rooms_per_user", "limits.logins_per_minute_account", "limits.logins_per_minute_address",
		"limits.history_page", "limits.queue_frames", "limits.queue_bytes", "limits.user_quota_bytes", "limits.room_quota_bytes",
		"journal.segment_bytes", "journal.segment_age", "journal.retention_days", "journal.batch_wait",
		"session.browser_days", "session.app_days", "session.heartbeat", "session.login_wait", "session.password_min", "session.sessions_per_user",
		"files.bin_days", "files.unsent_hours", "files.free_reserve_bytes",
		"hooks.makers", "hooks.command_timeout", "console.status_page",
		"watch.enabled", "watch.virtual_users", "watch.interval", "watch.raw_days", "watch.rollup_days", "watch.max_series", "watch.link_mbit",
		"log.level", "log.format",
	}
}

// Config is the configuration as a bundle tells it.
func Config(cfg config.Config) []byte {
	var b bytes.Buffer
	told := toldSettings()
	for _, r := range config.Show(cfg, nil) {
		switch {
		case slices.Contains(told, r.Key):
			fmt.Fprintf(&b, "%s = %s", r.Key, r.Value)
		default:
			fmt.Fprintf(&b, "%s (not told)", r.Key)
		}
		if !r.Default {
			b.WriteString("   # not the default")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
