package main

import (
	"errors"

	gitlab "gitlab.com/gitlab-org/api/client-go"
)

type gitLab struct {
	client  *gitlab.Client
	project string
}

func newGitLab(url, repository, token string) (forge, error) {
	client, err := gitlab.NewOAuthClient(token, gitlab.WithBaseURL(url), gitlab.WithoutRetries())
	if err != nil {
		return nil, err
	}
	return gitLab{client, repository}, nil
}

func (f gitLab) told(err error) any {
	// It has a value of its own for this status.
	if errors.Is(err, gitlab.ErrNotFound) {
		return refusal{404, err.Error()}
	}
	var refused *gitlab.ErrorResponse
	if !errors.As(err, &refused) {
		return nil
	}
	return refusal{refused.Response.StatusCode, refused.Message}
}

func (f gitLab) seen(whole *gitlab.MergeRequest, err error) (pull, error) {
	if err != nil {
		return pull{}, err
	}
	return pull{number: int(whole.IID), title: whole.Title, head: whole.SHA, whole: whole}, nil
}

func (f gitLab) repository() (any, error) {
	saw, _, err := f.client.Projects.GetProject(f.project, nil)
	return saw, err
}

func (f gitLab) branch(name string) (any, error) {
	saw, _, err := f.client.Branches.GetBranch(f.project, name)
	return saw, err
}

func (f gitLab) open(branch, title, text string) (pull, error) {
	order := &gitlab.CreateMergeRequestOptions{
		Title: &title, Description: &text, SourceBranch: &branch, TargetBranch: gitlab.Ptr("main"),
	}
	saw, _, err := f.client.MergeRequests.CreateMergeRequest(f.project, order)
	return f.seen(saw, err)
}

type counted struct {
	Total, Pages, Each, This, Next, Previous int64
	NextLink                                 bool
}

func place(response *gitlab.Response) counted {
	return counted{
		response.TotalItems, response.TotalPages, response.ItemsPerPage, response.CurrentPage, response.NextPage,
		response.PreviousPage, response.NextLink != "",
	}
}

func (f gitLab) listOpen(page func([]pull, any)) error {
	options := &gitlab.ListProjectMergeRequestsOptions{
		State: gitlab.Ptr("opened"), OrderBy: gitlab.Ptr("created_at"), Sort: gitlab.Ptr("asc"),
		ListOptions: gitlab.ListOptions{PerPage: 2},
	}
	for {
		all, response, err := f.client.MergeRequests.ListProjectMergeRequests(f.project, options)
		if err != nil {
			return err
		}
		var pulls []pull
		for _, one := range all {
			pulls = append(pulls, pull{number: int(one.IID), title: one.Title})
		}
		page(pulls, place(response))
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func (f gitLab) get(number int) (pull, error) {
	saw, _, err := f.client.MergeRequests.GetMergeRequest(f.project, int64(number), nil)
	return f.seen(saw, err)
}

func (f gitLab) update(number int, order *gitlab.UpdateMergeRequestOptions) (pull, error) {
	saw, _, err := f.client.MergeRequests.UpdateMergeRequest(f.project, int64(number), order)
	return f.seen(saw, err)
}

func (f gitLab) edit(number int, title, text string) (pull, error) {
	return f.update(number, &gitlab.UpdateMergeRequestOptions{Title: &title, Description: &text})
}

func (f gitLab) close(seen pull) (pull, error) {
	return f.update(seen.number, &gitlab.UpdateMergeRequestOptions{StateEvent: gitlab.Ptr("close")})
}

func (f gitLab) reviews(number int) (any, error) {
	approvals, _, err := f.client.MergeRequestApprovals.GetConfiguration(f.project, int64(number))
	if err != nil {
		return nil, err
	}
	reviewers, _, err := f.client.MergeRequests.GetMergeRequestReviewers(f.project, int64(number))
	return []any{approvals, reviewers}, err
}

func (f gitLab) comment(number int, text string) (any, error) {
	order := &gitlab.CreateMergeRequestNoteOptions{Body: &text}
	saw, _, err := f.client.Notes.CreateMergeRequestNote(f.project, int64(number), order)
	return saw, err
}

func (f gitLab) comments(number int, page func([]said, any)) error {
	options := &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: 2}}
	for {
		all, response, err := f.client.Notes.ListMergeRequestNotes(f.project, int64(number), options)
		if err != nil {
			return err
		}
		var texts []said
		for _, one := range all {
			by := one.Author.Username
			if one.System {
				by = "GitLab, of " + by
			}
			texts = append(texts, said{by, one.Body})
		}
		page(texts, place(response))
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func (f gitLab) mark(commit string, done bool) (any, error) {
	order := &gitlab.SetCommitStatusOptions{
		State: gitlab.Running, Name: gitlab.Ptr("ci/test"), Description: gitlab.Ptr("it runs"),
		TargetURL: gitlab.Ptr("https://ci.acme.io/1"),
	}
	if done {
		order.State, order.Description = gitlab.Success, gitlab.Ptr("it went well")
	}
	saw, _, err := f.client.Commits.SetCommitStatus(f.project, commit, order)
	return saw, err
}

func (f gitLab) marks(commit string) (any, error) {
	saw, _, err := f.client.Commits.GetCommitStatuses(f.project, commit, nil)
	return saw, err
}

func (f gitLab) label(number int, labels []string) (any, error) {
	named := gitlab.LabelOptions(labels)
	saw, err := f.update(number, &gitlab.UpdateMergeRequestOptions{Labels: &named})
	if err != nil {
		return nil, err
	}
	return saw.whole.(*gitlab.MergeRequest).Labels, nil
}

func (f gitLab) merge(seen pull) (any, error) {
	order := &gitlab.AcceptMergeRequestOptions{SHA: &seen.head, MergeCommitMessage: gitlab.Ptr("web: prod gets 2")}
	saw, _, err := f.client.MergeRequests.AcceptMergeRequest(f.project, int64(seen.number), order)
	return saw, err
}
