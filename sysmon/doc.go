// Package sysmon puts the parts together that watch the box: what samples
// (host, and the sources it is given), what keeps (store), what asks (query),
// what judges (rule, health, probe, checklist), what tells (alert) and what
// helps (runbook). It knows nothing of the chat: that comes as func values.
//
// The way of a figure: a source writes it, scrape stores it, rule asks for it
// and hands an alert to alert, which tells people, and to runbook, which
// collects what they will want to know. Everything lies below one directory,
// watch, in the data directory; the parts' packages say what their files are.
//
// Nothing here may stop the chat: Open tells an error, and the server goes on
// without watching.
//
// Goroutines: one each for scrape, remote (if samples are sent on), rule, runbook,
// checklist and probe between Start and Close, beside those that the parts run themselves.
package sysmon
