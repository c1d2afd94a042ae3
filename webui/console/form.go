package console

import (
	"maps"
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

// value is what a field shows: what was filled in, else what it begins with.
func (f Form) value(i Input) string {
	if v, ok := f.Values[i.Name]; ok {
		return v
	}
	if f.Values != nil && i.Type == "checkbox" {
		return "" // browsers leave an empty box out
	}
	return i.Value
}

// attributes tie a field to its hint and error. The first wrong field gets the
// focus.
func (f Form) attributes(i Input) templ.OrderedAttributes {
	var out templ.OrderedAttributes
	add := func(name string, value any) { out = append(out, templ.KeyValue[string, any]{Key: name, Value: value}) }
	described := ""
	if i.Hint != "" {
		described = "h-" + i.Name
	}
	if f.Errors[i.Name] != "" {
		if described != "" {
			described += " "
		}
		described += "e-" + i.Name
		add("aria-invalid", "true")
	}
	if described != "" {
		add("aria-describedby", described)
	}
	if i.Type == "number" {
		add("step", "any") // the server says what is no number of its kind
	}
	if i.Required {
		add("required", true)
	}
	if i.Autocomplete != "" {
		add("autocomplete", i.Autocomplete)
	}
	if i.Placeholder != "" {
		add("placeholder", i.Placeholder)
	}
	return out
}

func kind(t string) string {
	if t == "" {
		return "text"
	}
	return t
}

func rows(n int) string { return strconv.Itoa(max(n, 3)) }

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
