package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v84/github"
)

type gitHub struct {
	client      *github.Client
	owner, name string
}

func newGitHub(url, repository, token string) (forge, error) {
	client, err := github.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(url, url)
	if err != nil {
		return nil, err
	}
	owner, name, _ := strings.Cut(repository, "/")
	return gitHub{client, owner, name}, nil
}

var always = context.Background()

// For this it has no type.
type noBranch struct{ error }

func (f gitHub) told(err error) any {
	var none noBranch
	if errors.As(err, &none) {
		return refusal{http.StatusNotFound, none.Error()}
	}
	var refused *github.ErrorResponse
	if !errors.As(err, &refused) {
		return nil
	}
	words := []any{refused.Message}
	for _, more := range refused.Errors {
		words = append(words, more)
	}
	return refusal{refused.Response.StatusCode, words}
}

func (f gitHub) seen(whole *github.PullRequest, err error) (pull, error) {
	if err != nil {
		return pull{}, err
	}
	return pull{
		number: whole.GetNumber(), title: whole.GetTitle(), head: whole.GetHead().GetSHA(), whole: whole,
	}, nil
}

func (f gitHub) repository() (any, error) {
	saw, _, err := f.client.Repositories.Get(always, f.owner, f.name)
	return saw, err
}

func (f gitHub) branch(name string) (any, error) {
	saw, response, err := f.client.Repositories.GetBranch(always, f.owner, f.name, name, 0)
	if err != nil && response != nil && response.StatusCode == http.StatusNotFound {
		return nil, noBranch{err}
	}
	return saw, err
}

func (f gitHub) open(branch, title, text string) (pull, error) {
	base := "main"
	order := &github.NewPullRequest{Title: &title, Head: &branch, Base: &base, Body: &text}
	saw, _, err := f.client.PullRequests.Create(always, f.owner, f.name, order)
	return f.seen(saw, err)
}

type numbers struct {
	Next, Previous, Last int
}

func (f gitHub) listOpen(page func([]pull, any)) error {
	options := &github.PullRequestListOptions{State: "open", Sort: "created", Direction: "asc"}
	options.PerPage = 2
	for {
		all, response, err := f.client.PullRequests.List(always, f.owner, f.name, options)
		if err != nil {
			return err
		}
		var pulls []pull
		for _, one := range all {
			seen, _ := f.seen(one, nil)
			pulls = append(pulls, seen)
		}
		page(pulls, numbers{response.NextPage, response.PrevPage, response.LastPage})
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func (f gitHub) get(number int) (pull, error) {
	saw, _, err := f.client.PullRequests.Get(always, f.owner, f.name, number)
	return f.seen(saw, err)
}

func (f gitHub) edit(number int, title, text string) (pull, error) {
	order := &github.PullRequest{Title: &title, Body: &text}
	saw, _, err := f.client.PullRequests.Edit(always, f.owner, f.name, number, order)
	return f.seen(saw, err)
}

func (f gitHub) close(seen pull) (pull, error) {
	closed := "closed"
	order := &github.PullRequest{State: &closed}
	saw, _, err := f.client.PullRequests.Edit(always, f.owner, f.name, seen.number, order)
	return f.seen(saw, err)
}

func (f gitHub) reviews(number int) (any, error) {
	saw, _, err := f.client.PullRequests.ListReviews(always, f.owner, f.name, number, nil)
	return saw, err
}

func (f gitHub) comment(number int, text string) (any, error) {
	saw, _, err := f.client.Issues.CreateComment(always, f.owner, f.name, number, &github.IssueComment{Body: &text})
	return saw, err
}

func (f gitHub) comments(number int, page func([]said, any)) error {
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 2}}
	for {
		all, response, err := f.client.Issues.ListComments(always, f.owner, f.name, number, options)
		if err != nil {
			return err
		}
		var texts []said
		for _, one := range all {
			texts = append(texts, said{one.GetUser().GetLogin(), one.GetBody()})
		}
		page(texts, numbers{response.NextPage, response.PrevPage, response.LastPage})
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func (f gitHub) mark(commit string, done bool) (any, error) {
	state, context, words, url := "pending", "ci/test", "it runs", "https://ci.acme.io/1"
	if done {
		state, words = "success", "it went well"
	}
	order := github.RepoStatus{State: &state, Context: &context, Description: &words, TargetURL: &url}
	saw, _, err := f.client.Repositories.CreateStatus(always, f.owner, f.name, commit, order)
	return saw, err
}

func (f gitHub) marks(commit string) (any, error) {
	saw, _, err := f.client.Repositories.GetCombinedStatus(always, f.owner, f.name, commit, nil)
	return saw, err
}

func (f gitHub) label(number int, labels []string) (any, error) {
	saw, _, err := f.client.Issues.ReplaceLabelsForIssue(always, f.owner, f.name, number, labels)
	return saw, err
}

func (f gitHub) merge(seen pull) (any, error) {
	order := &github.PullRequestOptions{CommitTitle: "web: prod gets 2", SHA: seen.head}
	saw, _, err := f.client.PullRequests.Merge(always, f.owner, f.name, seen.number, "Proven in staging.", order)
	return saw, err
}
