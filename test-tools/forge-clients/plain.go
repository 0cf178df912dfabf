package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Values as they are printed: the same each time that the same is seen. What a client
// has no value for is left out; what it has is there, even if it is nothing.
type plain struct {
	url     string
	commits []string
}

func newPlain(url string) *plain { return &plain{url: url} }

var (
	timeOf   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
	commitOf = regexp.MustCompile(`\b([0-9a-f]{40}|[0-9a-f]{10,12})\b`)
)

// Milliseconds of our time; nothing else that is counted is as large.
const early = 1_000_000_000_000

func (p *plain) of(value any) any {
	if value == nil {
		return nil
	}
	plain, _ := p.value(reflect.ValueOf(value), false)
	return plain
}

// Whether it is worth a line is the second; what is asked for is printed even if it is
// nothing.
func (p *plain) value(v reflect.Value, asked bool) (any, bool) {
	switch v.Kind() {
	case reflect.Invalid:
		return nil, false
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, false
		}
		return p.value(v.Elem(), true)
	}
	if own, ok := ownForm(v); ok {
		return p.value(reflect.ValueOf(own), asked)
	}
	worth := asked || !v.IsZero()
	switch v.Kind() {
	case reflect.String:
		return p.text(v.String()), worth
	case reflect.Struct:
		members := map[string]any{}
		p.members(v, members)
		return members, asked || len(members) > 0
	case reflect.Map:
		members := map[string]any{}
		for _, name := range sorted(v.MapKeys()) {
			member, ok := p.value(v.MapIndex(name), true)
			// Often only the first digits of it.
			if id, is := member.(string); is && name.String() == "hash" {
				member = p.commit(id, 1)
			}
			if ok {
				members[name.String()] = member
			}
		}
		return members, asked || len(members) > 0
	case reflect.Slice, reflect.Array:
		all := []any{}
		for at := range v.Len() {
			one, _ := p.value(v.Index(at), true)
			all = append(all, one)
		}
		return all, asked || len(all) > 0
	case reflect.Int, reflect.Int64:
		if v.Int() > early {
			return "TIME", true
		}
	case reflect.Float64:
		if v.Float() > early {
			return "TIME", true
		}
	}
	return v.Interface(), worth
}

func (p *plain) members(v reflect.Value, into map[string]any) {
	for at := range v.NumField() {
		field := v.Type().Field(at)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if field.Anonymous && name == "" && v.Field(at).Kind() == reflect.Struct {
			p.members(v.Field(at), into)
			continue
		}
		if name == "" {
			name = field.Name
		}
		if member, ok := p.value(v.Field(at), false); ok {
			into[name] = member
		}
	}
}

// What writes itself: times, identifiers.
func ownForm(v reflect.Value) (any, bool) {
	if v.Kind() == reflect.Map || !v.CanInterface() {
		return nil, false
	}
	held := reflect.New(v.Type())
	held.Elem().Set(v)
	switch held.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
	default:
		return nil, false
	}
	written, err := json.Marshal(held.Interface())
	if err != nil {
		return nil, false
	}
	var own any
	if json.Unmarshal(written, &own) != nil {
		return nil, false
	}
	if text, ok := own.(string); ok && strings.HasPrefix(text, "0001-01-01") {
		return nil, true
	}
	return own, true
}

// Where the forge is, when something was and which commit it is differ each time.
func (p *plain) text(text string) string {
	text = strings.ReplaceAll(text, p.url, "URL")
	_, host, _ := strings.Cut(p.url, "://")
	text = strings.ReplaceAll(text, host, "HOST")
	text = timeOf.ReplaceAllString(text, "TIME")
	return commitOf.ReplaceAllStringFunc(text, func(id string) string { return p.commit(id, 40) })
}

// The name of a commit. What is shorter than this and begins none that was seen is no
// commit.
func (p *plain) commit(id string, least int) string {
	if strings.HasPrefix(id, "COMMIT-") {
		return id
	}
	for at, known := range p.commits {
		if strings.HasPrefix(known, id) || strings.HasPrefix(id, known) {
			p.commits[at] = max(known, id)
			name := fmt.Sprintf("COMMIT-%d", at+1)
			if len(id) < 40 {
				name += ", shortened"
			}
			return name
		}
	}
	if len(id) < least {
		return id
	}
	p.commits = append(p.commits, id)
	return fmt.Sprintf("COMMIT-%d", len(p.commits))
}

// The keys of a map, in the order of the alphabet: commits are counted as they are seen.
func sorted(keys []reflect.Value) []reflect.Value {
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
