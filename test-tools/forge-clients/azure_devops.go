package main

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/microsoft/azure-devops-go-api/azuredevops/v7"
	"github.com/microsoft/azure-devops-go-api/azuredevops/v7/core"
	"github.com/microsoft/azure-devops-go-api/azuredevops/v7/git"
)

type azureDevOps struct {
	connection    *azuredevops.Connection
	project, name string
}

func newAzureDevOps(url, repository, token string) (forge, error) {
	parts := strings.SplitN(repository, "/", 3)
	connection := azuredevops.NewPatConnection(url+"/"+parts[0], token)
	return azureDevOps{connection, parts[1], parts[2]}, nil
}

// It asks where the calls are, once.
func (f azureDevOps) calls() (git.Client, error) { return git.NewClient(always, f.connection) }

func (f azureDevOps) told(err error) any {
	var of *azuredevops.WrappedError
	var value azuredevops.WrappedError
	if errors.As(err, &value) {
		of = &value
	} else if !errors.As(err, &of) {
		// The page to sign in at, which comes with a status that is none of a failure.
		var noJSON *json.SyntaxError
		if errors.As(err, &noJSON) {
			return refusal{Words: noJSON.Error()}
		}
		return nil
	}
	words := []any{of.Error()}
	if of.TypeKey != nil {
		words = append(words, *of.TypeKey)
	}
	return refusal{*of.StatusCode, words}
}

func (f azureDevOps) seen(whole *git.GitPullRequest, err error) (pull, error) {
	if err != nil {
		return pull{}, err
	}
	return pull{
		number: *whole.PullRequestId, title: *whole.Title, head: *whole.LastMergeSourceCommit.CommitId, whole: whole,
	}, nil
}

func (f azureDevOps) repository() (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	return calls.GetRepository(always, git.GetRepositoryArgs{RepositoryId: &f.name, Project: &f.project})
}

func (f azureDevOps) branch(name string) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	filter := "heads/" + name
	refs, err := calls.GetRefs(always, git.GetRefsArgs{RepositoryId: &f.name, Project: &f.project, Filter: &filter})
	if err != nil {
		return nil, err
	}
	for _, ref := range refs.Value {
		if *ref.Name == "refs/heads/"+name {
			return ref, nil
		}
	}
	return nil, leftOut("no branch is an empty list here")
}

func head(branch string) *string {
	name := "refs/heads/" + branch
	return &name
}

func (f azureDevOps) open(branch, title, text string) (pull, error) {
	calls, err := f.calls()
	if err != nil {
		return pull{}, err
	}
	order := git.GitPullRequest{
		SourceRefName: head(branch), TargetRefName: head("main"), Title: &title, Description: &text,
	}
	return f.seen(calls.CreatePullRequest(always, git.CreatePullRequestArgs{
		GitPullRequestToCreate: &order, RepositoryId: &f.name, Project: &f.project,
	}))
}

// The newest come first, and how many there are is not said.
func (f azureDevOps) listOpen(page func([]pull, any)) error {
	calls, err := f.calls()
	if err != nil {
		return err
	}
	most := 2
	for skip := 0; ; skip += most {
		from := skip
		all, err := calls.GetPullRequests(always, git.GetPullRequestsArgs{
			RepositoryId: &f.name, Project: &f.project, Top: &most, Skip: &from,
			SearchCriteria: &git.GitPullRequestSearchCriteria{Status: &git.PullRequestStatusValues.Active},
		})
		if err != nil {
			return err
		}
		var pulls []pull
		for _, one := range *all {
			seen, _ := f.seen(&one, nil)
			pulls = append(pulls, seen)
		}
		page(pulls, map[string]any{"skipped": from})
		if len(pulls) < most {
			return nil
		}
	}
}

func (f azureDevOps) get(number int) (pull, error) {
	calls, err := f.calls()
	if err != nil {
		return pull{}, err
	}
	return f.seen(calls.GetPullRequest(always, git.GetPullRequestArgs{
		RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	}))
}

func (f azureDevOps) update(number int, order *git.GitPullRequest) (pull, error) {
	calls, err := f.calls()
	if err != nil {
		return pull{}, err
	}
	return f.seen(calls.UpdatePullRequest(always, git.UpdatePullRequestArgs{
		GitPullRequestToUpdate: order, RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	}))
}

func (f azureDevOps) edit(number int, title, text string) (pull, error) {
	return f.update(number, &git.GitPullRequest{Title: &title, Description: &text})
}

func (f azureDevOps) close(seen pull) (pull, error) {
	return f.update(seen.number, &git.GitPullRequest{Status: &git.PullRequestStatusValues.Abandoned})
}

func (f azureDevOps) reviews(number int) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	return calls.GetPullRequestReviewers(always, git.GetPullRequestReviewersArgs{
		RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	})
}

func (f azureDevOps) comment(number int, text string) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	thread := git.GitPullRequestCommentThread{
		Comments: &[]git.Comment{{Content: &text, CommentType: &git.CommentTypeValues.Text}},
		Status:   &git.CommentThreadStatusValues.Active,
	}
	return calls.CreateThread(always, git.CreateThreadArgs{
		CommentThread: &thread, RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	})
}

func (f azureDevOps) comments(number int, page func([]said, any)) error {
	calls, err := f.calls()
	if err != nil {
		return err
	}
	all, err := calls.GetThreads(always, git.GetThreadsArgs{
		RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	})
	if err != nil {
		return err
	}
	var texts []said
	for _, thread := range *all {
		for _, one := range *thread.Comments {
			texts = append(texts, said{*one.Author.DisplayName + ", " + string(*one.CommentType), *one.Content})
		}
	}
	page(texts, nil)
	return nil
}

func (f azureDevOps) mark(commit string, done bool) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	state, name, genre := git.GitStatusStateValues.Pending, "test", "ci"
	words, url := "it runs", "https://ci.acme.io/1"
	if done {
		state, words = git.GitStatusStateValues.Succeeded, "it went well"
	}
	status := git.GitStatus{
		State: &state, Description: &words, TargetUrl: &url, Context: &git.GitStatusContext{Name: &name, Genre: &genre},
	}
	return calls.CreateCommitStatus(always, git.CreateCommitStatusArgs{
		GitCommitStatusToCreate: &status, CommitId: &commit, RepositoryId: &f.name, Project: &f.project,
	})
}

func (f azureDevOps) marks(commit string) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	newest := true
	return calls.GetStatuses(always, git.GetStatusesArgs{
		CommitId: &commit, RepositoryId: &f.name, Project: &f.project, LatestOnly: &newest,
	})
}

func (f azureDevOps) label(number int, labels []string) (any, error) {
	calls, err := f.calls()
	if err != nil {
		return nil, err
	}
	for _, label := range labels {
		_, err := calls.CreatePullRequestLabel(always, git.CreatePullRequestLabelArgs{
			Label:        &core.WebApiCreateTagRequestData{Name: &label},
			RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
		})
		if err != nil {
			return nil, err
		}
	}
	return calls.GetPullRequestLabels(always, git.GetPullRequestLabelsArgs{
		RepositoryId: &f.name, Project: &f.project, PullRequestId: &number,
	})
}

func (f azureDevOps) merge(seen pull) (any, error) {
	words := "web: prod gets 2"
	order := git.GitPullRequest{
		Status:                &git.PullRequestStatusValues.Completed,
		LastMergeSourceCommit: &git.GitCommitRef{CommitId: &seen.head},
		CompletionOptions: &git.GitPullRequestCompletionOptions{
			MergeStrategy: &git.GitPullRequestMergeStrategyValues.NoFastForward, MergeCommitMessage: &words,
		},
	}
	return whole(f.update(seen.number, &order))
}
