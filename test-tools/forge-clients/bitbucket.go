package main

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/ktrysmt/go-bitbucket"
)

// It has types for repositories and branches; all else it gives as it is in JSON.
type bitbucketCloud struct {
	client      *bitbucket.Client
	owner, name string
}

func newBitbucket(url, repository, token string) (forge, error) {
	client, err := bitbucket.NewOAuthbearerTokenWithBaseUrlStr(token, url+"/2.0")
	if user, password, is := strings.Cut(token, ":"); is {
		client, err = bitbucket.NewBasicAuthWithBaseUrlStr(user, password, url+"/2.0")
	}
	if err != nil {
		return nil, err
	}
	// It takes all pages at once.
	client.Pagelen = 2
	owner, name, _ := strings.Cut(repository, "/")
	return bitbucketCloud{client, owner, name}, nil
}

func (f bitbucketCloud) told(err error) any {
	var refused *bitbucket.UnexpectedResponseStatusError
	if !errors.As(err, &refused) {
		return nil
	}
	var words any
	if json.Unmarshal(refused.Body, &words) != nil {
		return nil
	}
	return refusal{refused.StatusCode, words}
}

func (f bitbucketCloud) options() *bitbucket.PullRequestsOptions {
	return &bitbucket.PullRequestsOptions{Owner: f.owner, RepoSlug: f.name}
}

func (f bitbucketCloud) one(number int) *bitbucket.PullRequestsOptions {
	options := f.options()
	options.ID = strconv.Itoa(number)
	return options
}

// A member of what has no type.
func at(value any, path ...string) any {
	for _, name := range path {
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

var noSuch = errors.New("the answer lacks what each has")

func (f bitbucketCloud) seen(saw any, err error) (pull, error) {
	if err != nil {
		return pull{}, err
	}
	number, isNumber := at(saw, "id").(float64)
	title, isText := at(saw, "title").(string)
	short, isCommit := at(saw, "source", "commit", "hash").(string)
	if !isNumber || !isText || !isCommit {
		return pull{}, noSuch
	}
	return pull{number: int(number), title: title, head: short, whole: saw}, nil
}

func (f bitbucketCloud) repository() (any, error) {
	return f.client.Repositories.Repository.Get(&bitbucket.RepositoryOptions{Owner: f.owner, RepoSlug: f.name})
}

func (f bitbucketCloud) branch(name string) (any, error) {
	options := &bitbucket.RepositoryBranchOptions{Owner: f.owner, RepoSlug: f.name, BranchName: name}
	return f.client.Repositories.Repository.GetBranch(options)
}

func (f bitbucketCloud) open(branch, title, text string) (pull, error) {
	options := f.options()
	options.SourceBranch, options.DestinationBranch, options.Title, options.Description = branch, "main", title, text
	return f.seen(f.client.Repositories.PullRequests.Create(options))
}

// Those of all pages, and where the last of them is.
func all(saw any) ([]any, any, error) {
	values, ok := at(saw, "values").([]any)
	if !ok {
		return nil, nil, noSuch
	}
	return values, map[string]any{
		"page": at(saw, "page"), "pagelen": at(saw, "pagelen"), "size": at(saw, "size"), "next": at(saw, "next"),
	}, nil
}

func (f bitbucketCloud) listOpen(page func([]pull, any)) error {
	options := f.options()
	options.Sort = "created_on"
	saw, err := f.client.Repositories.PullRequests.List(options)
	if err != nil {
		return err
	}
	values, place, err := all(saw)
	if err != nil {
		return err
	}
	var pulls []pull
	for _, one := range values {
		seen, err := f.seen(one, nil)
		if err != nil {
			return err
		}
		pulls = append(pulls, seen)
	}
	page(pulls, place)
	return nil
}

func (f bitbucketCloud) get(number int) (pull, error) {
	seen, err := f.seen(f.client.Repositories.PullRequests.Get(f.one(number)))
	if err != nil {
		return seen, err
	}
	// It gives the first digits only.
	options := &bitbucket.CommitsOptions{Owner: f.owner, RepoSlug: f.name, Revision: seen.head}
	commit, err := f.client.Repositories.Commits.GetCommit(options)
	if err != nil {
		return seen, err
	}
	id, ok := at(commit, "hash").(string)
	if !ok {
		return seen, noSuch
	}
	seen.head = id
	return seen, nil
}

func (f bitbucketCloud) edit(number int, title, text string) (pull, error) {
	options := f.one(number)
	options.Title, options.Description = title, text
	return f.seen(f.client.Repositories.PullRequests.Update(options))
}

func (f bitbucketCloud) close(seen pull) (pull, error) {
	return f.seen(f.client.Repositories.PullRequests.Decline(f.one(seen.number)))
}

func (f bitbucketCloud) reviews(number int) (any, error) {
	saw, err := f.client.Repositories.PullRequests.Get(f.one(number))
	return at(saw, "participants"), err
}

func (f bitbucketCloud) comment(number int, text string) (any, error) {
	return f.client.Repositories.PullRequests.AddComment(&bitbucket.PullRequestCommentOptions{
		Owner: f.owner, RepoSlug: f.name, PullRequestID: strconv.Itoa(number), Content: text,
	})
}

func (f bitbucketCloud) comments(number int, page func([]said, any)) error {
	saw, err := f.client.Repositories.PullRequests.GetComments(f.one(number))
	if err != nil {
		return err
	}
	values, place, err := all(saw)
	if err != nil {
		return err
	}
	var texts []said
	for _, one := range values {
		by, isName := at(one, "user", "display_name").(string)
		text, isText := at(one, "content", "raw").(string)
		if !isName || !isText {
			return noSuch
		}
		texts = append(texts, said{by, text})
	}
	page(texts, place)
	return nil
}

func (f bitbucketCloud) mark(commit string, done bool) (any, error) {
	status := &bitbucket.CommitStatusOptions{
		Key: "ci/test", Name: "Tests", Url: "https://ci.acme.io/1", State: "INPROGRESS", Description: "it runs",
	}
	if done {
		status.State, status.Description = "SUCCESSFUL", "it went well"
	}
	options := &bitbucket.CommitsOptions{Owner: f.owner, RepoSlug: f.name, Revision: commit}
	return f.client.Repositories.Commits.CreateCommitStatus(options, status)
}

func (f bitbucketCloud) marks(commit string) (any, error) {
	options := &bitbucket.CommitsOptions{Owner: f.owner, RepoSlug: f.name, Revision: commit}
	return f.client.Repositories.Commits.GetCommitStatuses(options)
}

func (f bitbucketCloud) label(int, []string) (any, error) {
	return nil, leftOut("pull requests have no labels here")
}

func (f bitbucketCloud) merge(seen pull) (any, error) {
	now, err := f.get(seen.number)
	if err != nil {
		return nil, err
	}
	if now.head != seen.head {
		return nil, leftOut("whatever the branch is at is merged here")
	}
	options := f.one(seen.number)
	options.Message, options.MergeStrategy = "web: prod gets 2", bitbucket.MergeCommit
	return f.client.Repositories.PullRequests.Merge(options)
}
