// Command forge-clients plays one story on a forge, through a client of that forge
// which others wrote, and prints what the client saw: one line of JSON a step.
//
//	FORGE_TOKEN=... FORGE_READER=... forge-clients KIND URL REPOSITORY
//
// The repository has the branches second, third and fourth, one commit each on top
// of main, and an open pull request, the first, which somebody has approved and which
// has a status on its head. FORGE_READER may only read.
//
// It ends with an error when the client cannot read an answer, and when the forge
// refuses what it should do or does what it should refuse.
package main

import (
	"fmt"
	"os"
)

// How each client is made, for a repository and a token.
var kinds = map[string]func(url, repository, token string) (forge, error){
	"github":           newGitHub,
	"gitlab":           newGitLab,
	"gitea":            newGitea,
	"azure-devops":     newAzureDevOps,
	"bitbucket":        newBitbucket,
	"bitbucket-server": newBitbucketServer,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("usage: forge-clients KIND URL REPOSITORY")
	}
	kind, url, repository := arguments[0], arguments[1], arguments[2]
	client, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("there is no client of %s", kind)
	}
	var forges []forge
	for _, token := range []string{os.Getenv("FORGE_TOKEN"), os.Getenv("FORGE_READER"), wrongToken} {
		forge, err := client(url, repository, token)
		if err != nil {
			return fmt.Errorf("the client: %w", err)
		}
		forges = append(forges, forge)
	}
	return play(newStory(os.Stdout, url), forges[0], forges[1], forges[2])
}

// Nobody has it.
const wrongToken = "0123456789012345678901234567890123456789"
