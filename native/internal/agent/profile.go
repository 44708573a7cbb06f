package agent

import (
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// ofTheShell are variables that a shell keeps for itself, or whose value says where it is.
var ofTheShell = []string{"_", "PWD", "OLDPWD", "SHLVL", "PATH"}

// Profile is what a login shell runs once /etc/profile has set its variables: it gives those back that the session began
// with, since the image's maker or the caller chose them. `began` is the environment at the shell's start, `now` its present one.
func Profile(began, now []string) string {
	before, after := variables(began), variables(now)
	var script strings.Builder
	names := make([]string, 0, len(before))
	for name := range before {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		value, isSet := after[name]
		ours := name == "LANG" && before[name] == defaultLang
		if slices.Contains(ofTheShell, name) || ours || !isName(name) || isSet && value == before[name] {
			continue
		}
		script.WriteString("export " + name + "=" + quoted(before[name]) + "\n")
	}
	if chosen, isSet := before["PATH"]; isSet && chosen != defaultPath {
		if path := joined(chosen, after["PATH"]); path != after["PATH"] {
			script.WriteString("export PATH=" + quoted(path) + "\n")
		}
	}
	return script.String()
}

// joined is the PATH that was chosen, between what a profile put before the places that every system has and what it put
// after them.
func joined(chosen, profile string) string {
	known, usual := filepath.SplitList(chosen), filepath.SplitList(defaultPath)
	var front, back []string
	behind := false
	for _, dir := range filepath.SplitList(profile) {
		behind = behind || slices.Contains(known, dir) || slices.Contains(usual, dir)
		switch {
		case slices.Contains(known, dir):
		case behind:
			back = append(back, dir)
		default:
			front = append(front, dir)
		}
	}
	return strings.Join(slices.Concat(front, known, back), string(os.PathListSeparator))
}

func variables(environment []string) map[string]string {
	all := make(map[string]string, len(environment))
	for _, e := range environment {
		if name, value, ok := strings.Cut(e, "="); ok {
			all[name] = value
		}
	}
	return all
}

// isName keeps what a shell cannot export out of its script.
func isName(name string) bool {
	for i, c := range name {
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

func quoted(value string) string { return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'" }
