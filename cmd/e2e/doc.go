// Package e2e tests the program as people and other programs meet it: the real
// binary as a child process, real Chromium at its web chat, clients in other
// languages that know nothing but the reference. It holds nothing but tests.
//
// The binary is built once per run, with the race detector when the tests have
// it. POSTHOUSE_BINARY names one to test instead, such as that of a package;
// POSTHOUSE_SCREENSHOTS names a directory for pictures of the pages.
//
// A test gets a server of its own with an empty data directory, on free ports
// of the loopback interface. At the end of every test the server is stopped; it
// must then leave with status 0 and have logged no error. One Chromium serves
// all tests; each person is a browser context of its own. Anything that a page
// writes to the console as an error fails the test, what the policy of the page
// forbids included, unless the test has said that it will happen.
//
// TestEveryPage walks through all that a person can see and lets axe-core look
// at it, in both languages, light and dark, wide and narrow. Its tables of
// views take a new pane, page or dialog as one line. axe-core is in testdata,
// packed by gzip, as npm has it, and is checked by its SHA-256; its licence
// (MPL-2.0) is beside it.
//
// TestShippedAlertsFireByTheirCausesAndEnd causes what each shipped alert is
// about. Its rules are those of the program with every time in them divided, so
// that five minutes pass in five seconds; a table per server (stages) has a line
// for each alert. What would harm the machine is shown to the server alone: files
// mounted over the kernel's in a mount namespace, answers of the kernel changed by
// strace.
//
// Nothing waits for a time: a condition is looked at until it holds or patience
// ends, which is long, because the machine may be busy with something else.
//
// What the tests need (Chromium, Python with websockets, curl, Node with npm)
// is installed by make deps. A test fails, and is not skipped, without it.
//
// It runs goroutines only within a test.
package e2e
