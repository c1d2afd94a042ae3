package chat

import "posthouse/appliance/wire"

// table binds every method that does not belong to a connection. The gate
// itself answers sync.*, presence.watch, room.typing, session.authenticate and
// server.sessions.
func (s *Service) table() map[string]method {
	t := map[string]method{}
	bind(t, "server.info", s.info)
	bind(t, "setup.complete", s.setupComplete)
	bind(t, "session.login", s.login)
	bind(t, "session.me", s.me)
	bind(t, "session.confirm", s.confirm)
	bind(t, "session.logout", s.logout)
	bind(t, "session.devices", s.devices)
	bind(t, "account.password", s.ownPassword)
	bind(t, "account.update", s.ownProfile)
	bind(t, "invite.show", s.inviteShow)
	bind(t, "invite.accept", s.inviteAccept)

	bind(t, "directory.list", s.directory)
	bind(t, "directory.get", s.directoryGet)
	bind(t, "department.list", s.departments)

	bind(t, "room.list", s.roomList)
	bind(t, "room.get", s.roomGet)
	bind(t, "room.discover", s.roomDiscover)
	bind(t, "room.create", s.roomCreate)
	bind(t, "room.direct", s.roomDirect)
	bind(t, "room.update", s.roomUpdate)
	bind(t, "room.join", s.roomJoin)
	bind(t, "room.leave", s.roomLeave)
	bind(t, "room.members", s.roomMembers)
	bind(t, "room.add", s.roomAdd)
	bind(t, "room.remove", s.roomRemove)
	bind(t, "room.role", s.roomRole)
	bind(t, "room.history", s.history)
	bind(t, "room.pins", s.pins)
	bindAsync(t, "room.read", s.read)

	bindAsync(t, "message.send", s.send)
	bindAsync(t, "message.forward", s.forward)
	bind(t, "message.get", s.message)
	bind(t, "message.edit", s.edit)
	bind(t, "message.revisions", s.revisions)
	bind(t, "message.recall", s.recall)
	bind(t, "message.react", s.react)
	bind(t, "message.pin", s.pin)
	bind(t, "message.readers", s.readers)
	bind(t, "message.journey", s.journey)

	s.accountTable(t)
	s.hookTable(t)
	s.bindNotices(t)
	bind(t, "audit.list", s.auditList)

	bind(t, "file.get", s.fileGet)
	bind(t, "file.discard", s.fileDiscard)
	bind(t, "file.usage", s.fileUsage)
	bind(t, "kv.get", s.kvGet)
	bind(t, "kv.put", s.kvPut)
	bind(t, "kv.list", s.kvList)

	bind(t, "command.list", s.commandList)
	bindAsync(t, "command.run", s.commandRun)

	bind(t, "search.messages", s.searchMessages)
	bind(t, "search.names", s.searchNames)
	bind(t, "search.rebuild", s.searchRebuild)

	bind(t, "server.status", s.status)
	bind(t, "user.list", s.userList)
	bind(t, "room.all", s.roomAll)
	bind(t, "room.inspect", s.roomInspect)
	s.importTable(t)
	return t
}

func (s *Service) info(_ *Call, _ *wire.Empty) (wire.ServerInfo, error) {
	l := s.s.Limits()
	return wire.ServerInfo{Version: s.opt.Version, Organisation: s.s.Organisation(), Setup: s.s.Counts().Users == 0, Ready: s.ReadOnly() == nil,
		MessageBytes: l.MessageBytes, UploadBytes: l.UploadBytes}, nil
}

func (s *Service) status(c *Call, _ *wire.Empty) (wire.StatusResult, error) {
	n := s.s.Counts()
	r := wire.StatusResult{Version: s.opt.Version, Uptime: c.Now.Sub(s.started).Milliseconds(), Position: s.q.Position(), Flushed: s.s.Flushed(),
		Users: n.Users, Rooms: n.Rooms, Messages: n.Messages, Files: n.Files, FileBytes: n.FileBytes}
	if why := s.ReadOnly(); why != nil {
		r.ReadOnly = refusal(c, why).Text.In(c.Lang)
	}
	if s.opt.Search != nil {
		at := s.opt.Search.Status()
		r.Search, r.SearchBuilding = at.Position, at.Building
		if at.Failed != nil {
			r.SearchProblem = at.Failed.Error()
		}
	}
	s.opt.FillStatus(&r)
	return r, nil
}

func (s *Service) setupLinkNew(_ *Call, _ *wire.Empty) (wire.SetupLink, error) {
	return wire.SetupLink{URL: s.SetupURL()}, nil
}

func limit(n, def, most int) int {
	if n <= 0 {
		return def
	}
	return min(n, most)
}
