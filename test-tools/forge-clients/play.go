package main

import "errors"

// A forge as one client has it. What comes back is in the client's own types.
type forge interface {
	repository() (any, error)
	branch(name string) (any, error)
	open(branch, title, text string) (pull, error)
	// The open ones, the oldest first, in pages of two; what the client knows of a
	// page's place among the others is told with it.
	listOpen(page func(pulls []pull, place any)) error
	get(number int) (pull, error)
	edit(number int, title, text string) (pull, error)
	close(seen pull) (pull, error)
	reviews(number int) (any, error)
	comment(number int, text string) (any, error)
	comments(number int, page func(said []said, place any)) error
	// A status on a commit: that something runs, or that it went well.
	mark(commit string, done bool) (any, error)
	marks(commit string) (any, error)
	label(number int, labels []string) (any, error)
	// Merges if the pull request is as it was seen.
	merge(seen pull) (any, error)
	// What the forge refused, as the client tells it; nothing if it is another mistake.
	told(err error) any
}

type pull struct {
	number int
	title  string
	head   string
	// Which is told with each change, where the forge counts them.
	version int32
	whole   any
}

type said struct {
	by   string
	text string
}

// What a client has no call for, or the forge has no such thing.
type leftOut string

func (why leftOut) Error() string { return string(why) }

func whole(seen pull, err error) (any, error) { return seen.whole, err }

func play(s *story, f, reader, stranger forge) error {
	s.sees("the repository", f.repository)
	s.mayBeLeftOut("a branch", func() (any, error) { return f.branch("second") })
	s.isRefused("a branch that is not there", f, func() (any, error) { return f.branch("none") })

	var first, second, third pull
	var err error
	s.sees("the first, which others opened", func() (any, error) {
		first, err = f.get(1)
		return first.whole, err
	})
	s.sees("its reviews", func() (any, error) { return f.reviews(1) })
	s.sees("its statuses", func() (any, error) { return f.marks(first.head) })

	s.sees("open the second", func() (any, error) { return whole(f.open("second", "web 2 to prod", "1 -> 2\n")) })
	s.mayBeRefused("open it again", f, func() (any, error) {
		return whole(f.open("second", "web 2 to prod", "once more\n"))
	})
	s.isRefused("open one of a branch that is not there", f, func() (any, error) {
		return whole(f.open("none", "web 2 to prod", "1 -> 2\n"))
	})
	for _, name := range []string{"third", "fourth"} {
		_, err := f.open(name, "web to prod, the "+name, "1 -> 3\n")
		s.is("open the "+name, err)
	}
	s.is("list what is open", f.listOpen(s.pulls("list what is open")))

	s.mayBeLeftOut("change its title and text", func() (any, error) {
		return whole(f.edit(2, "web 2 to prod, at last", "1 -> 2\n\n- proven in staging\n"))
	})
	s.isRefused("change it with a token that may only read", reader, func() (any, error) {
		return reader.comment(2, "mine")
	})
	for _, text := range []string{"one", "two", "three"} {
		s.sees("comment: "+text, func() (any, error) { return f.comment(2, text) })
	}
	s.is("list the comments", f.comments(2, s.comments("list the comments")))
	s.mayBeLeftOut("label it", func() (any, error) { return f.label(2, []string{"env/prod", "gradus"}) })
	s.sees("look at it", func() (any, error) {
		second, err = f.get(2)
		return second.whole, err
	})
	s.mayBeLeftOut("say that a check runs", func() (any, error) { return f.mark(second.head, false) })
	s.mayBeLeftOut("say that it went well", func() (any, error) { return f.mark(second.head, true) })
	s.sees("its checks", func() (any, error) { return f.marks(second.head) })

	another := second
	another.head, another.version = first.head, second.version+7
	s.isRefused("merge another state of it", f, func() (any, error) { return f.merge(another) })
	s.sees("merge it", func() (any, error) { return f.merge(second) })
	s.sees("look at it again", func() (any, error) {
		second, err = f.get(2)
		return second.whole, err
	})
	s.isRefused("merge it again", f, func() (any, error) { return f.merge(second) })
	s.sees("close the third", func() (any, error) {
		if third, err = f.get(3); err != nil {
			return nil, err
		}
		return whole(f.close(third))
	})
	s.is("list what is still open", f.listOpen(s.pulls("list what is still open")))
	s.isRefused("look at one that is not there", f, func() (any, error) { return whole(f.get(99)) })
	s.isRefused("a wrong token", stranger, stranger.repository)
	return errors.Join(s.failed...)
}
