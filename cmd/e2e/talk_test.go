package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trusting is a Chromium that takes the certificate of one server: what a
// person reaches by installing its authority.
func trusting(t *testing.T, s *server) *browser {
	t.Helper()
	c, err := tls.Dial("tcp", s.lanAddr, &tls.Config{InsecureSkipVerify: true, ServerName: hostName}) //nolint:gosec // to learn its key
	if err != nil {
		t.Fatalf("look at the certificate: %v", err)
	}
	defer c.Close()
	sum := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	b := newBrowser(filepath.Join(t.TempDir(), "chromium"))
	b.flags["ignore-certificate-errors-spki-list"] = base64.StdEncoding.EncodeToString(sum[:])
	t.Cleanup(b.close)
	return b
}

// picture writes a PNG file that is larger than its thumbnail.
func picture(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for y := range 600 {
		for x := range 900 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255}) //nolint:gosec // wraps on purpose
		}
	}
	path := filepath.Join(t.TempDir(), "图片 holiday.png")
	f, err := os.Create(path)
	must(t, err)
	must(t, png.Encode(f, img))
	must(t, f.Close())
	return path
}

// The first day: set up, invite, talk, send a picture, read, all over https.
func TestFirstDay(t *testing.T) {
	t.Parallel()
	s := serve(t)
	chromium := trusting(t, s)
	ann := chromium.tab(t, "ann", s.lanURL())
	ann.open("/#" + s.setup)
	ann.entersOffice("示例公司 Example", "ann", "安娜")
	ann.finds("nav header", "示例公司 Example")
	if at := ask[string](ann, `location.href`); strings.Contains(at, "setup") {
		t.Errorf("the secret of the setup link stays in the address: %s", at)
	}
	policy := ask[string](ann, `fetch("/").then((r) => r.headers.get("Content-Security-Policy"))`)
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the page is served without %s: %s", part, policy)
		}
	}

	ann.click("button", "Menu")
	ann.click("button", "Invite people")
	ann.click("button", "Make a link")
	ann.until("the link", `document.querySelector(".fresh input")`)
	link := ask[string](ann, `document.querySelector(".fresh input").value`)
	if !strings.HasPrefix(link, s.lanURL()+"/#/invite/") {
		t.Errorf("the invitation leads to %s", link)
	}
	ann.until("the QR code", `document.querySelector(".fresh img").naturalWidth > 0`)
	ann.click("dialog button", "Close")

	bo := chromium.tab(t, "bo", s.lanURL())
	bo.open(link)
	bo.finds("p", "安娜 invites you")
	bo.entersOffice("", "bo", "Bo Lin")
	phone := chromium.tab(t, "phone", s.lanURL()) // the other device of bo
	phone.logsIn("bo")

	ann.click("button", "New conversation")
	ann.click("dialog button.person", "Bo Lin")
	ann.until("the room", `document.querySelector("main.room .title")?.innerText.includes("Bo Lin")`)
	ann.says("你好，早上好！")
	ann.says("**bold** and <script>document.title = 'broken'</script>")
	for _, p := range []*tab{bo, phone} {
		p.unread("安娜", 2)
		p.until("the number in the title", `document.title.startsWith("(2) ")`)
	}
	bo.enters("安娜")
	bo.sees("你好，早上好！")
	bo.sees("bold and <script>document.title = 'broken'</script>")
	bo.until("Markdown", `document.querySelector(".message .text strong").textContent === "bold"`)
	for _, p := range []*tab{bo, phone} {
		p.unread("安娜", 0)
		p.until("no number in the title", `!document.title.startsWith("(") && document.title !== "broken"`)
	}
	ann.until("both read", `document.querySelectorAll(".message.mine .status.read").length === 2`)

	bo.says("早！See you at 9.")
	ann.sees("早！See you at 9.")
	phone.enters("安娜")
	phone.sees("早！See you at 9.")
	bo.until("read", `document.querySelector(".message.mine .status.read")`)

	for _, p := range []*tab{ann, bo, phone} {
		if raced() { // the race detector wants more memory than the maker of thumbnails may have
			p.expects(`status of 422 .*/thumbnail/`)
		}
	}
	bo.attaches(picture(t))
	bo.finds(".tray .state", "uploaded")
	bo.says("假期照片")
	ann.sees("假期照片")
	for _, p := range []*tab{ann, bo, phone} {
		p.unread("", 0) // one's own messages are not unread
		p.until("no number in the title", `!document.title.startsWith("(")`)
	}
	if !raced() {
		ann.until("the thumbnail", `(() => { const i = document.querySelector(".message .picture img"); return i.complete && i.naturalWidth > 0 })()`)
	}
	ann.shot("talk")
}
