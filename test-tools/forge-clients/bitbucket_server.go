package main

import (
	"context"
	"errors"
	"strings"

	bitbucketv1 "github.com/gfleury/go-bitbucket-v1"
	"github.com/mitchellh/mapstructure"
)

type bitbucketServer struct {
	calls         *bitbucketv1.DefaultApiService
	project, name string
}

func newBitbucketServer(url, repository, token string) (forge, error) {
	with := context.WithValue(always, bitbucketv1.ContextAccessToken, token)
	if user, password, is := strings.Cut(token, ":"); is {
		account := bitbucketv1.BasicAuth{UserName: user, Password: password}
		with = context.WithValue(always, bitbucketv1.ContextBasicAuth, account)
	}
	client := bitbucketv1.NewAPIClient(with, bitbucketv1.NewConfiguration(url+"/rest"))
	project, name, _ := strings.Cut(repository, "/")
	return bitbucketServer{client.DefaultApi, project, name}, nil
}

// Its errors have no type; what was answered comes beside them.
type serverError struct {
	answer *bitbucketv1.APIResponse
	words  error
}

func (e serverError) Error() string { return e.words.Error() }

func answered(answer *bitbucketv1.APIResponse, err error) (*bitbucketv1.APIResponse, error) {
	if err != nil && answer != nil && answer.Response != nil && answer.StatusCode >= 400 {
		return answer, serverError{answer, err}
	}
	return answer, err
}

func (f bitbucketServer) told(err error) any {
	var refused serverError
	if !errors.As(err, &refused) {
		return nil
	}
	return refusal{refused.answer.StatusCode, refused.answer.Values["errors"]}
}

func (f bitbucketServer) seen(answer *bitbucketv1.APIResponse, err error) (pull, error) {
	answer, err = answered(answer, err)
	if err != nil {
		return pull{}, err
	}
	whole, err := bitbucketv1.GetPullRequestResponse(answer)
	return short(whole), err
}

func short(whole bitbucketv1.PullRequest) pull {
	return pull{
		number: whole.ID, title: whole.Title, head: whole.FromRef.LatestCommit, version: whole.Version, whole: whole,
	}
}

func (f bitbucketServer) repository() (any, error) {
	answer, err := answered(f.calls.GetRepository(f.project, f.name))
	if err != nil {
		return nil, err
	}
	return bitbucketv1.GetRepositoryResponse(answer)
}

func (f bitbucketServer) branch(string) (any, error) {
	return nil, leftOut("one branch cannot be asked for here")
}

func (f bitbucketServer) open(branch, title, text string) (pull, error) {
	side := func(branch string) bitbucketv1.PullRequestRef {
		project := &bitbucketv1.Project{Key: f.project}
		return bitbucketv1.PullRequestRef{
			ID: "refs/heads/" + branch, Repository: bitbucketv1.Repository{Slug: f.name, Project: project},
		}
	}
	order := bitbucketv1.PullRequest{Title: title, Description: text, FromRef: side(branch), ToRef: side("main")}
	return f.seen(f.calls.CreatePullRequest(f.project, f.name, order))
}

func (f bitbucketServer) listOpen(page func([]pull, any)) error {
	for start, has := 0, true; has; {
		answer, err := answered(f.calls.GetPullRequestsPage(f.project, f.name, map[string]any{
			"state": "OPEN", "order": "OLDEST", "limit": 2, "start": start,
		}))
		if err != nil {
			return err
		}
		all, err := bitbucketv1.GetPullRequestsResponse(answer)
		if err != nil {
			return err
		}
		var pulls []pull
		for _, one := range all {
			pulls = append(pulls, short(one))
		}
		has, start = bitbucketv1.HasNextPage(answer)
		page(pulls, map[string]any{"has": has, "next": start, "size": answer.Values["size"]})
	}
	return nil
}

func (f bitbucketServer) get(number int) (pull, error) {
	return f.seen(f.calls.GetPullRequest(f.project, f.name, number))
}

func (f bitbucketServer) edit(int, string, string) (pull, error) {
	return pull{}, leftOut("the client writes the version as text, which is a number")
}

func (f bitbucketServer) close(seen pull) (pull, error) {
	return f.seen(f.calls.Decline(f.project, f.name, seen.number, map[string]any{"version": seen.version}))
}

func (f bitbucketServer) reviews(number int) (any, error) {
	seen, err := f.get(number)
	if err != nil {
		return nil, err
	}
	whole := seen.whole.(bitbucketv1.PullRequest)
	return append(whole.Reviewers, whole.Participants...), nil
}

var inJSON = []string{"application/json"}

func (f bitbucketServer) comment(number int, text string) (any, error) {
	order := bitbucketv1.Comment{Text: text}
	answer, err := answered(f.calls.CreatePullRequestComment(f.project, f.name, number, order, inJSON))
	if err != nil {
		return nil, err
	}
	// What activities have for one.
	var saw bitbucketv1.ActivityComment
	err = mapstructure.Decode(answer.Values, &saw)
	return saw, err
}

func (f bitbucketServer) comments(number int, page func([]said, any)) error {
	for start, has := 0, true; has; {
		answer, err := answered(f.calls.GetActivities(f.project, f.name, number, map[string]any{
			"limit": 2, "start": start,
		}))
		if err != nil {
			return err
		}
		saw, err := bitbucketv1.GetActivitiesResponse(answer)
		if err != nil {
			return err
		}
		var texts []said
		for _, one := range saw.Values {
			texts = append(texts, said{one.User.Name + ", " + string(one.Action), one.Comment.Text})
		}
		has, start = !saw.IsLastPage, saw.NextPageStart
		page(texts, map[string]any{"has": has, "next": start, "size": saw.Size})
	}
	return nil
}

func (f bitbucketServer) mark(string, bool) (any, error) {
	return nil, leftOut("the client has only the call that was before builds of a repository")
}

func (f bitbucketServer) marks(commit string) (any, error) {
	answer, err := answered(f.calls.GetCommitStatus(commit))
	if err != nil {
		return nil, err
	}
	return bitbucketv1.GetBuildStatusesResponse(answer)
}

func (f bitbucketServer) label(int, []string) (any, error) {
	return nil, leftOut("pull requests have no labels here")
}

func (f bitbucketServer) merge(seen pull) (any, error) {
	version := map[string]any{"version": seen.version}
	return whole(f.seen(f.calls.Merge(f.project, f.name, seen.number, version, nil, inJSON)))
}
