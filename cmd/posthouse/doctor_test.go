package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asChild are tests that a test starts this program for, with what to do in
// the environment.
const asChild = "POSTHOUSE_TEST_CHILD"

// TestDoctorChild is what other tests run as a process of its own.
func TestDoctorChild(t *testing.T) {
	switch what, rest, _ := strings.Cut(os.Getenv(asChild), " "); what {
	case "hold": // listen until standard input ends
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		fmt.Println("at " + ln.Addr().String())
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	case "run":
		os.Exit(newApp([]string{"LC_ALL=en_GB.UTF-8", "PATH=" + os.Getenv("PATH")}, os.Stdin, os.Stdout, os.Stderr).run(t.Context(), strings.Fields(rest)))
	}
}

func child(t *testing.T, what string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestDoctorChild$")
	cmd.Env = append(os.Environ(), asChild+"="+what)
	return cmd
}

// here is the configuration of the desk's server for a command beside it.
func (d *desk) here() []string {
	return []string{"--set", "server.host_name=posthouse.test", "--set", "server.listen=" + d.server.cfg.Server.Listen[0],
		"--set", "server.listen_local=" + d.server.cfg.Server.ListenLocal}
}

func TestDoctorOnAServerThatRunsAndThatIsStopped(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	flags := append(d.here(), "doctor")
	r := d.do(flags...).prints(fmt.Sprintf("runs as process %d", os.Getpid()), "well  port "+d.server.cfg.Server.Listen[0]+" (server.listen): the server listens",
		"well  answer at https://"+d.server.cfg.Server.Listen[0]+": it answers", "well  answer at http://")
	r.never("BAD").tells("nothing is bad")
	v := d.do(append(flags, "--json")...).keys("ok", "checks")
	seen := map[string]bool{}
	for _, c := range v["checks"].([]any) {
		c := c.(map[string]any)
		seen[c["check"].(string)] = true
		if c["state"] == "bad" || c["looked"] == "" || c["found"] == "" && c["check"] != "descriptors" || c["state"] == "odd" && c["do"] == "" {
			t.Errorf("%v", c)
		}
	}
	for _, want := range []string{"configuration", "data", "space", "disk", "server", "port", "certificate", "name", "listener", "clock", "descriptors"} {
		if !seen[want] {
			t.Errorf("nothing is said of %s", want)
		}
	}

	// Another port in the configuration, and no restart.
	d.run("", "--set", "server.host_name=posthouse.test", "--set", "server.listen=127.0.0.1:1", "--set", "server.listen_local="+d.server.cfg.Server.ListenLocal, "doctor").exits(1).
		prints("the configuration was changed after its start", "refused")

	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}
	before := entries(t, d.data)
	d.run("", flags...).exits(1).prints("BAD   server: it does not run", "serve", "(server.listen): free", "well  certificate: until").tells("1 bad")
	d.env = append([]string{"LC_ALL=zh_CN.UTF-8"}, d.env[1:]...)
	d.run("", flags...).exits(1).prints("问题  服务器：未运行", "正常  证书：有效至").tells("1 项有问题").never("BAD")
	if after := entries(t, d.data); after != before {
		t.Errorf("the data directory was changed from\n%s\nto\n%s", before, after)
	}
}

// entries lists what lies in a directory, with sizes and times.
func entries(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDoctorNamesWhoHasThePort(t *testing.T) {
	d := newDesk(t)
	other := child(t, "hold")
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimSpace(strings.TrimPrefix(line, "at "))
	flags := []string{"--set", "server.host_name=posthouse.test", "--set", "server.listen=" + addr, "--set", "server.listen_local=", "doctor"}
	d.run("", flags...).exits(1).prints(fmt.Sprintf("(%d)", other.Process.Pid), "BAD   port "+addr+" (server.listen): held by", "choose another port in server.listen")
	_ = in.Close()
	_ = other.Wait()
	d.run("", flags...).exits(1).prints("well  port " + addr + " (server.listen): free")
	d.run("", "--set", "server.host_name=posthouse.test", "--set", "server.listen=203.0.113.9"+addr[strings.LastIndex(addr, ":"):], "doctor").exits(1).prints("this machine does not have that address")
}

func TestDoctorOnADataDirectoryOfAnother(t *testing.T) {
	d := newDesk(t)
	for _, dir := range []string{filepath.Dir(d.data), d.data} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := child(t, "run --data "+d.data+" --set server.host_name=posthouse.test --set server.listen=127.0.0.1:443 doctor")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	} else if err := os.Chmod(d.data, 0o500); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"BAD   data directory " + d.data, "may not write there", "chown -R", "BAD   port 127.0.0.1:443", "CAP_NET_BIND_SERVICE"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestDoctorSaysTheLineOfABrokenConfiguration(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	if err := os.WriteFile(file, []byte("[server]\nhost_name = \"box.lan\"\n  lisen = []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("", "--config", file, "doctor").exits(1).prints("BAD   configuration: "+file+":3:3", "did you mean server.listen", "posthouse config test "+file, "clock", "data directory")
	if err := os.WriteFile(file, []byte("[server\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := d.run("", "--config", file, "doctor", "--json").exits(1).keys("ok", "checks")
	c := v["checks"].([]any)[0].(map[string]any)
	checkKeys(t, c, "check", "state", "looked", "found", "do")
	if v["ok"] != false || c["check"] != "configuration" || !strings.Contains(c["found"].(string), file+":1:") {
		t.Fatalf("%v", v)
	}
	d.run("", "doctor", "--ca", file).exits(2)
	d.run("", "doctor", "--from-lan", "ftp://x").exits(2)
}

// certificate makes a self-signed certificate for a name in dir.
func certificate(t *testing.T, dir, name string, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: until.AddDate(0, -2, 0), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// Who starts the server is told what a device has to trust: the box's own
// authority, and nothing where the certificate comes from files.
func TestGreetingTellsWhatToTrust(t *testing.T) {
	cert, key := certificate(t, t.TempDir(), "posthouse.test", time.Now().AddDate(0, 1, 0))
	for _, c := range []struct {
		flags []string
		own   bool
	}{{nil, true}, {[]string{"--set", "tls.mode=files", "--set", "tls.cert_file=" + cert, "--set", "tls.key_file=" + key}, false}} {
		d := newDesk(t)
		d.serveTLS(c.flags...)
		var out strings.Builder
		newApp(d.env, strings.NewReader(""), &out, &out).greet(&out, d.server)
		for _, want := range []string{"CA fingerprint: ", baseURL(d.server.cfg) + "/ca.crt"} {
			if strings.Contains(out.String(), want) != c.own {
				t.Errorf("with %v, %q:\n%s", c.flags, want, out.String())
			}
		}
		if told, _ := d.do("status", "--json").json()["certificate"].(string); (told != "") != c.own {
			t.Errorf("with %v the status tells %q", c.flags, told)
		}
	}
}

func TestDoctorOnCertificates(t *testing.T) {
	d := newDesk(t)
	look := func(name string, until time.Time) result {
		cert, key := certificate(t, t.TempDir(), name, until)
		return d.run("", "--set", "server.host_name=posthouse.test", "--set", "server.listen=127.0.0.1:0", "--set", "server.listen_local=", "--set", "tls.mode=files",
			"--set", "tls.cert_file="+cert, "--set", "tls.key_file="+key, "doctor").exits(1)
	}
	look("posthouse.test", time.Now().AddDate(0, 1, 0)).prints("odd   certificate", "until", "self-signed").never("BAD   certificate")
	look("posthouse.test", time.Now().AddDate(0, 0, -1)).prints("BAD   certificate", "expired on", "renew the file")
	look("other.test", time.Now().AddDate(0, 1, 0)).prints("BAD   certificate", "is for other.test, not for the host name posthouse.test")
}

func TestDoctorFromTheLAN(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	url := "https://" + d.server.cfg.Server.Listen[0]
	ca := filepath.Join(d.data, certDir, "root.crt")
	d.do("doctor", "--from-lan", url, "--ca", ca).prints("well  connection to", "well  TLS", "trusted, until", "well  answer of /health", "well  WebSocket").never("BAD")
	d.run("", "doctor", "--from-lan", url).exits(1).prints("not trusted here", "/ca.crt", "well  WebSocket")
	d.run("", "doctor", "--from-lan", "http://"+d.server.cfg.Server.Listen[0]).exits(1).prints("BAD   answer of /health")
	d.run("", "doctor", "--from-lan", "https://nobody.invalid", "--json").exits(1)
	d.env = append([]string{"LC_ALL=zh_CN.UTF-8"}, d.env[1:]...)
	d.do("doctor", "--from-lan", url, "--ca", ca).prints("正常  WebSocket")
	d.stop()
	d.run("", "doctor", "--from-lan", url, "--ca", ca).exits(1).prints("问题  连接", "被拒绝：没有进程监听").never("/health")
}

// TestDoctorFromTheLANOnAnotherCertificate: the name and the dates are told
// apart, and both are told.
func TestDoctorFromTheLANOnAnotherCertificate(t *testing.T) {
	d := newDesk(t)
	cert, key := certificate(t, t.TempDir(), "other.test", time.Now().AddDate(0, 0, -1))
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			_ = c.Close()
		}
	}()
	d.run("", "doctor", "--from-lan", "https://"+ln.Addr().String(), "--ca", cert).exits(1).
		prints("the certificate is for other names", "tls.extra_names", "the certificate is valid from", "BAD   answer of /health").never("not trusted here")
}
