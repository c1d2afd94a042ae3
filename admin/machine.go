package admin

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"posthouse/sysmon/host"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Machine is what is known of the machine. Nil fields leave their part out.
type Machine struct {
	Facts     func() host.Facts
	Processes func(ctx context.Context) (host.Top, error)
	Ports     func(ctx context.Context) ([]host.Port, error)
}

func machineRoutes() []Route {
	return []Route{{Method: "GET", Path: "/admin/host", Title: words.Of("This machine", "本机"), Group: Checking, Icon: "host", Need: Sees, Handle: (*Admin).machinePage}}
}

func (a *Admin) machinePage(r *Request) {
	v := r.View(r.Route.Title)
	m := console.Machine{}
	if f := a.o.Machine.Facts; f != nil {
		m.Facts = machineFacts(v, f())
	}
	if f := a.o.Machine.Processes; f != nil {
		top, err := f(r.Context())
		if err != nil {
			m.ProcessTrouble = err.Error()
		}
		m.Busy, m.Large = processes(v, top.Busy), processes(v, top.Large)
	}
	if f := a.o.Machine.Ports; f != nil {
		all, err := f(r.Context())
		if err != nil {
			m.PortTrouble = err.Error()
		}
		for _, p := range all {
			m.Ports = append(m.Ports, console.Port{Protocol: p.Protocol, Address: p.Address.String(), Port: fmt.Sprint(p.Port), Name: p.Name, User: p.User, PID: counted(p.PID),
				Own: p.Own, Outside: !p.Address.IsLoopback()})
		}
	}
	r.Page(func(v console.View) templ.Component { return console.MachinePage(v, m) })
}

func counted(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func processes(v console.View, all []host.Process) []console.Process {
	var out []console.Process
	for _, p := range all {
		out = append(out, console.Process{PID: fmt.Sprint(p.PID), Name: p.Name, User: p.User, Path: p.Path, CPU: v.Percent(p.CPU / 100), RSS: v.Bytes(float64(p.RSS)),
			Threads: fmt.Sprint(p.Threads), Started: p.Started, Own: p.Own})
	}
	return out
}

func machineFacts(v console.View, f host.Facts) []console.Known {
	limit := v.Say("none", "无")
	if f.Limits.MemoryLimit > 0 {
		limit = v.Bytes(float64(f.Limits.MemoryLimit))
	}
	cores := fmt.Sprint(f.Cores)
	if f.Limits.Cores > 0 {
		cores += v.Say(fmt.Sprintf(", %.2g of them allowed", f.Limits.Cores), fmt.Sprintf("，限用 %.2g 个", f.Limits.Cores))
	}
	return []console.Known{
		{Name: v.Say("Name", "主机名"), Value: f.Name},
		{Name: v.Say("System", "系统"), Value: strings.TrimSpace(f.System + " " + f.Kernel + " " + f.Architecture)},
		{Name: v.Say("Virtual machine", "虚拟化"), Value: cmp.Or(f.Virtual, v.Say("none known", "未发现"))},
		{Name: v.Say("Processor", "处理器"), Value: f.Processor},
		{Name: v.Say("Cores", "核心"), Value: cores},
		{Name: v.Say("Memory", "内存"), Value: v.Bytes(float64(f.Memory))},
		{Name: v.Say("Memory limit", "内存上限"), Value: limit},
		{Name: v.Say("Started", "启动时间"), At: f.Boot},
		{Name: v.Say("Addresses", "地址"), Value: strings.Join(f.Addresses, "  ")},
		{Name: v.Say("Open files at most", "打开文件上限"), Value: fmt.Sprint(f.OpenFiles)},
		{Name: v.Say("Program", "程序"), Value: f.Version + " · " + f.Go},
		{Name: v.Say("Data", "数据目录"), Value: f.DataDir},
	}
}
