package reference

// Stylesheet gives the style of the reference page.
func Stylesheet() []byte { return []byte(stylesheet) }

const stylesheet = `:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
* { box-sizing: border-box; }
body { margin: 0; background: Canvas; color: CanvasText; font: 1rem/1.6 system-ui, -apple-system, "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: Canvas; outline: 2px solid; z-index: 1; }
.page { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 82rem; margin: 0 auto; padding: 0 1rem 4rem; gap: 0 2.5rem; }
header, main { min-width: 0; }
main { max-width: 54rem; }
nav ul { padding-left: 1.1rem; margin: .2rem 0; }
nav a, td, code { overflow-wrap: anywhere; }
nav a { display: inline-block; padding: .1rem 0; }
h1 { line-height: 1.25; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.2rem; }
h4 { margin: 1rem 0 .3rem; }
code, pre { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Consolas, monospace; font-size: .9em; }
pre { padding: .7rem .9rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .3rem; background: var(--soft); line-height: 1.45; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; }
dl.facts dt { font-weight: 600; }
dl.facts dd { margin: 0; }
:focus-visible { outline: 2px solid; outline-offset: 2px; }
:target { scroll-margin-top: 1rem; }
@media (min-width: 70rem) {
  .page { grid-template-columns: 17rem minmax(0, 1fr); }
  .page > header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 1rem 0; align-self: start; font-size: .9rem; }
}
@media print { nav, .skip { display: none; } pre { white-space: pre-wrap; } }
`

const pageTemplate = `<!doctype html>
<html lang="{{if eq .Lang "zh"}}zh-CN{{else}}en{{end}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{say "Posthouse: how to talk to it"}}</title>
<link rel="stylesheet" href="/static/reference.css">
</head>
<body>
<a class="skip" href="#text">{{say "Skip to the text"}}</a>
<div class="page">
<header>
<h1>{{say "Posthouse: how to talk to it"}}</h1>
<p><a href="/reference?lang={{.Other}}" hreflang="{{.Other}}" lang="{{.Other}}">{{say "Other language"}}</a> · <a href="/api/openrpc.json">OpenRPC</a> · <a href="/api/openapi.json">OpenAPI</a></p>
</header>
<nav aria-label="{{say "Contents"}}">
<h2>{{say "Contents"}}</h2>
<ul>
{{template "contents"}}
<li><a href="#methods">{{say "Methods"}}</a>
<ul>{{range .Groups}}
<li>{{t .Title}}<ul>{{range .Methods}}<li><a href="#{{.Name}}">{{.Name}}</a></li>{{end}}</ul></li>{{end}}
</ul></li>
<li><a href="#events">{{say "Events"}}</a></li>
<li><a href="#errors">{{say "Errors"}}</a></li>
<li><a href="#types">{{say "Types"}}</a></li>
<li><a href="#limits">{{say "Limits of the protocol"}}</a></li>
</ul>
</nav>
<main id="text">
{{template "prose" .}}
<h2 id="methods">{{say "Methods"}}</h2>
{{range .Groups}}{{range .Methods}}{{template "method" .}}{{end}}{{end}}
<h2 id="events">{{say "Events"}}</h2>
{{range .Events}}{{template "event" .}}{{end}}
{{template "kinds" .}}
<h2 id="types">{{say "Types"}}</h2>
{{range .Enums}}<h3 id="type-{{.Type.Name}}">{{.Type.Name}}</h3>
<p>{{say "Values"}}: {{range $i, $v := .Values}}{{if $i}}, {{end}}<code>{{$v}}</code>{{end}}</p>
{{end}}{{range .Types}}<h3 id="type-{{.Name}}">{{.Name}}</h3>
{{template "given" .Fields}}{{end}}
{{template "limits" .}}
</main>
</div>
</body>
</html>
{{define "method"}}<h3 id="{{.Name}}">{{.Name}}</h3>
<p>{{t .Doc}}</p>
<dl class="facts"><dt>{{say "Who"}}</dt><dd>{{t .Access}}</dd><dt>{{say "Rate class"}}</dt><dd>{{t .Class}}</dd><dt>{{say "Transport"}}</dt><dd>{{transport .Spec}}</dd></dl>
<h4>{{say "Parameters"}}</h4>
{{template "wanted" .Params}}<h4>{{say "Result"}}: {{link .Spec.Result}}</h4>
{{if .Result}}{{template "given" .Result}}{{end}}{{if post .Spec}}<h4>{{say "With curl"}}</h4>
<pre tabindex="0"><code>{{curl .Spec}}</code></pre>
{{end}}{{if frame .Spec}}<h4>{{say "As a frame"}}</h4>
<pre tabindex="0"><code>{{request .Spec}}</code></pre>
<h4>{{say "Answer"}}</h4>
<pre tabindex="0"><code>{{answer .Spec}}</code></pre>
{{end}}{{end}}
{{define "event"}}<h3 id="event-{{.Type}}">{{.Type}}</h3>
<p>{{t .Doc}} {{if .Record}}{{say "record, with a position"}}{{else}}{{say "not a record"}}{{end}}</p>
<p>{{say "Data"}}: {{link .Data}}</p>
{{template "given" .Fields}}<pre tabindex="0"><code>{{example .EventSpec}}</code></pre>
{{end}}
{{define "wanted"}}{{if .}}<div class="scroll"><table>
<thead><tr><th scope="col">{{say "Name"}}</th><th scope="col">{{say "Type"}}</th><th scope="col">{{say "Needed"}}</th><th scope="col">{{say "Meaning"}}</th></tr></thead>
<tbody>{{template "rows" .}}</tbody></table></div>
{{else}}<p>{{say "none"}}</p>
{{end}}{{end}}
{{define "given"}}{{if .}}<div class="scroll"><table>
<thead><tr><th scope="col">{{say "Name"}}</th><th scope="col">{{say "Type"}}</th><th scope="col">{{say "Always"}}</th><th scope="col">{{say "Meaning"}}</th></tr></thead>
<tbody>{{template "rows" .}}</tbody></table></div>
{{else}}<p>{{say "none"}}</p>
{{end}}{{end}}
{{define "rows"}}{{range .}}
<tr><th scope="row"><code>{{.Name}}</code></th><td>{{link .Type}}</td><td>{{if .Optional}}{{say "no"}}{{else}}{{say "yes"}}{{end}}</td><td>{{t .Doc}}</td></tr>{{end}}
{{end}}
{{define "kinds"}}<h2 id="errors">{{say "Errors"}}</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">{{say "Kind"}}</th><th scope="col">{{say "Code"}}</th><th scope="col">{{say "HTTP status"}}</th><th scope="col">{{say "Meaning"}}</th></tr></thead>
<tbody>{{range .Kinds}}
<tr><th scope="row"><code>{{.Kind}}</code></th><td>{{.Code}}</td><td>{{.Status}}</td><td>{{t .Doc}}</td></tr>{{end}}
</tbody></table></div>
{{end}}
{{define "limits"}}<h2 id="limits">{{say "Limits of the protocol"}}</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">{{say "Limit"}}</th><th scope="col">{{say "Value"}}</th><th scope="col">{{say "Meaning"}}</th></tr></thead>
<tbody>{{range .Limits}}
<tr><th scope="row"><code>{{.Name}}</code></th><td>{{.Value}}</td><td>{{t .Doc}}</td></tr>{{end}}
</tbody></table></div>
{{end}}`
