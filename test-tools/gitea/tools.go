//go:build tools

// Package tools names the commands that the tests build.
package tools

import _ "code.gitea.io/gitea"
