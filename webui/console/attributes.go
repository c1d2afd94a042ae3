package console

import "strings"

// htmxConfig is read by htmx when the page begins: answers of these statuses
// are not put into the page (the script says them), and htmx adds no style.
const htmxConfig = `{"noSwap":[204,304,401,403,404,409,413,429,"5xx"],"includeIndicatorCSS":false}`

func joined(list []string) string { return strings.Join(list, " ") }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func truth(on bool) string {
	if on {
		return "true"
	}
	return "false"
}
