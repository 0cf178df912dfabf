package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"
)

type giteaForge struct {
	client      *gitea.Client
	owner, name string
}

func newGitea(url, repository, token string) (forge, error) {
	// Which version it is, it would ask with the token, and some are wrong.
	client, err := gitea.NewClient(url, gitea.SetToken(token), gitea.SetGiteaVersion("1.26.0"))
	if err != nil {
		return nil, err
	}
	owner, name, _ := strings.Cut(repository, "/")
	return giteaForge{client, owner, name}, nil
}

// Its errors have no type; what was answered comes beside them.
type giteaError struct {
	status int
	words  error
}

func (e giteaError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.words) }

func refused(response *gitea.Response, err error) error {
	if err != nil && response != nil && response.StatusCode >= 400 {
		return giteaError{response.StatusCode, err}
	}
	return err
}

func (f giteaForge) told(err error) any {
	var of giteaError
	if !errors.As(err, &of) {
		return nil
	}
	return refusal{of.status, of.words.Error()}
}

// What there is of a repository and of people is long, and in each answer again.
type giteaPull struct {
	Number                     int64
	Title, Body, URL           string
	State                      gitea.StateType
	Draft, HasMerged           bool
	By, MergedBy               string
	Head, Base, Sha, MergeBase string
	Merged                     *time.Time
	MergeCommit                *string
	Labels                     []string
	Comments                   int
	// Not printed: it changes while it finds out.
	mergeable bool
}

func (f giteaForge) seen(whole *gitea.PullRequest, response *gitea.Response, err error) (pull, error) {
	if err != nil {
		return pull{}, refused(response, err)
	}
	short := giteaPull{
		Number: whole.Index, Title: whole.Title, Body: whole.Body, URL: whole.HTMLURL, State: whole.State,
		Draft: whole.Draft, mergeable: whole.Mergeable, HasMerged: whole.HasMerged, By: whole.Poster.UserName,
		Head: whole.Head.Ref, Base: whole.Base.Ref, Sha: whole.Head.Sha, MergeBase: whole.MergeBase,
		Merged: whole.Merged, MergeCommit: whole.MergedCommitID, Comments: whole.Comments,
	}
	if whole.MergedBy != nil {
		short.MergedBy = whole.MergedBy.UserName
	}
	for _, label := range whole.Labels {
		short.Labels = append(short.Labels, label.Name)
	}
	return pull{number: int(whole.Index), title: whole.Title, head: whole.Head.Sha, whole: short}, nil
}

func (f giteaForge) repository() (any, error) {
	saw, response, err := f.client.GetRepo(f.owner, f.name)
	if err != nil {
		return nil, refused(response, err)
	}
	return map[string]any{
		"name": saw.Name, "branch": saw.DefaultBranch, "permissions": saw.Permissions, "archived": saw.Archived,
		"squash": saw.AllowSquash, "merge": saw.AllowMerge, "rebase": saw.AllowRebase,
	}, nil
}

func (f giteaForge) branch(name string) (any, error) {
	saw, response, err := f.client.GetRepoBranch(f.owner, f.name, name)
	if err != nil {
		return nil, refused(response, err)
	}
	return map[string]any{"name": saw.Name, "commit": saw.Commit.ID, "protected": saw.Protected}, nil
}

func (f giteaForge) open(branch, title, text string) (pull, error) {
	order := gitea.CreatePullRequestOption{Head: branch, Base: "main", Title: title, Body: text}
	return f.seen(f.client.CreatePullRequest(f.owner, f.name, order))
}

func (f giteaForge) listOpen(page func([]pull, any)) error {
	options := gitea.ListPullRequestsOptions{State: gitea.StateOpen, Sort: "oldest"}
	options.Page, options.PageSize = 1, 2
	for options.Page > 0 {
		all, response, err := f.client.ListRepoPullRequests(f.owner, f.name, options)
		if err != nil {
			return refused(response, err)
		}
		var pulls []pull
		for _, one := range all {
			seen, _ := f.seen(one, response, nil)
			pulls = append(pulls, seen)
		}
		page(pulls, numbers{response.NextPage, response.PrevPage, response.LastPage})
		options.Page = response.NextPage
	}
	return nil
}

func (f giteaForge) get(number int) (pull, error) {
	return f.seen(f.client.GetPullRequest(f.owner, f.name, int64(number)))
}

// It finds out for a while whether Git can merge.
func (f giteaForge) found(number int) (pull, error) {
	for tries := 0; ; tries++ {
		saw, err := f.get(number)
		if err != nil || tries == 300 {
			return saw, err
		}
		if short := saw.whole.(giteaPull); short.mergeable || short.State != gitea.StateOpen {
			return saw, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (f giteaForge) edit(number int, title, text string) (pull, error) {
	order := gitea.EditPullRequestOption{Title: title, Body: &text}
	return f.seen(f.client.EditPullRequest(f.owner, f.name, int64(number), order))
}

func (f giteaForge) close(seen pull) (pull, error) {
	closed := gitea.StateClosed
	order := gitea.EditPullRequestOption{Title: seen.title, State: &closed}
	return f.seen(f.client.EditPullRequest(f.owner, f.name, int64(seen.number), order))
}

func (f giteaForge) reviews(number int) (any, error) {
	all, response, err := f.client.ListPullReviews(f.owner, f.name, int64(number), gitea.ListPullReviewsOptions{})
	if err != nil {
		return nil, refused(response, err)
	}
	var saw []any
	for _, one := range all {
		saw = append(saw, map[string]any{
			"by": one.Reviewer.UserName, "state": string(one.State), "commit": one.CommitID, "stale": one.Stale,
		})
	}
	return saw, nil
}

func (f giteaForge) comment(number int, text string) (any, error) {
	order := gitea.CreateIssueCommentOption{Body: text}
	saw, response, err := f.client.CreateIssueComment(f.owner, f.name, int64(number), order)
	if err != nil {
		return nil, refused(response, err)
	}
	return saw.Poster.UserName + ": " + saw.Body, nil
}

func (f giteaForge) comments(number int, page func([]said, any)) error {
	options := gitea.ListIssueCommentOptions{ListOptions: gitea.ListOptions{PageSize: 2}}
	all, response, err := f.client.ListIssueComments(f.owner, f.name, int64(number), options)
	if err != nil {
		return refused(response, err)
	}
	var texts []said
	for _, one := range all {
		texts = append(texts, said{one.Poster.UserName, one.Body})
	}
	page(texts, numbers{response.NextPage, response.PrevPage, response.LastPage})
	return nil
}

type giteaStatus struct {
	State                           gitea.StatusState
	Context, Description, TargetURL string
	By                              string
}

func giteaStatusOf(saw *gitea.Status) giteaStatus {
	return giteaStatus{saw.State, saw.Context, saw.Description, saw.TargetURL, saw.Creator.UserName}
}

func (f giteaForge) mark(commit string, done bool) (any, error) {
	order := gitea.CreateStatusOption{
		State: gitea.StatusPending, Context: "ci/test", Description: "it runs", TargetURL: "https://ci.acme.io/1",
	}
	if done {
		order.State, order.Description = gitea.StatusSuccess, "it went well"
	}
	saw, response, err := f.client.CreateStatus(f.owner, f.name, commit, order)
	if err != nil {
		return nil, refused(response, err)
	}
	return giteaStatusOf(saw), nil
}

func (f giteaForge) marks(commit string) (any, error) {
	saw, response, err := f.client.GetCombinedStatus(f.owner, f.name, commit)
	if err != nil {
		return nil, refused(response, err)
	}
	all := []giteaStatus{}
	for _, one := range saw.Statuses {
		all = append(all, giteaStatusOf(one))
	}
	return map[string]any{"state": string(saw.State), "statuses": all}, nil
}

func (f giteaForge) label(number int, labels []string) (any, error) {
	var ids []int64
	for _, name := range labels {
		order := gitea.CreateLabelOption{Name: name, Color: "#3b7dd8"}
		made, response, err := f.client.CreateLabel(f.owner, f.name, order)
		if err != nil {
			return nil, refused(response, err)
		}
		ids = append(ids, made.ID)
	}
	all, response, err := f.client.AddIssueLabels(f.owner, f.name, int64(number), gitea.IssueLabelsOption{Labels: ids})
	if err != nil {
		return nil, refused(response, err)
	}
	var saw []string
	for _, one := range all {
		saw = append(saw, one.Name)
	}
	return saw, nil
}

func (f giteaForge) merge(seen pull) (any, error) {
	now, err := f.found(seen.number)
	if err != nil {
		return nil, err
	}
	if now.head != seen.head {
		return nil, leftOut("it would look at all others again, for minutes now and then")
	}
	order := gitea.MergePullRequestOption{
		Style: gitea.MergeStyleMerge, Title: "web: prod gets 2", HeadCommitId: seen.head,
	}
	done, response, err := f.client.MergePullRequest(f.owner, f.name, int64(seen.number), order)
	if err == nil && !done {
		// What it said was read and is told to nobody.
		err = errors.New(http.StatusText(response.StatusCode))
	}
	return done, refused(response, err)
}
