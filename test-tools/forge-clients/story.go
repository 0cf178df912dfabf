package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What is printed. After the first mistake nothing is.
type story struct {
	out    *json.Encoder
	plain  *plain
	failed []error
}

type line struct {
	Step    string `json:"step"`
	Saw     any    `json:"saw,omitempty"`
	Refused any    `json:"refused,omitempty"`
	LeftOut string `json:"left out,omitempty"`
	Place   any    `json:"place,omitempty"`
}

func newStory(out io.Writer, url string) *story {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &story{out: encoder, plain: newPlain(url)}
}

func (s *story) print(line line) {
	if len(s.failed) > 0 {
		return
	}
	line.Saw, line.Refused, line.Place = s.plain.of(line.Saw), s.plain.of(line.Refused), s.plain.of(line.Place)
	if err := s.out.Encode(line); err != nil {
		s.failed = append(s.failed, err)
	}
}

func (s *story) fail(step string, err error) {
	s.failed = append(s.failed, fmt.Errorf("%s: %w", step, err))
}

// What has to be done.
func (s *story) sees(step string, try func() (any, error)) {
	if len(s.failed) > 0 {
		return
	}
	saw, err := try()
	if err != nil {
		s.fail(step, err)
		return
	}
	s.print(line{Step: step, Saw: saw})
}

func (s *story) is(step string, err error) {
	if err != nil {
		s.fail(step, err)
	}
}

// What not every client can ask for.
func (s *story) mayBeLeftOut(step string, try func() (any, error)) {
	if len(s.failed) > 0 {
		return
	}
	saw, err := try()
	var why leftOut
	if errors.As(err, &why) {
		s.print(line{Step: step, LeftOut: string(why)})
		return
	}
	s.sees(step, func() (any, error) { return saw, err })
}

// What some forges do and others refuse.
func (s *story) mayBeRefused(step string, f forge, try func() (any, error)) {
	if len(s.failed) > 0 {
		return
	}
	saw, err := try()
	if refused := f.told(err); err != nil && refused != nil {
		s.print(line{Step: step, Refused: refused})
		return
	}
	s.mayBeLeftOut(step, func() (any, error) { return saw, err })
}

// What has to be refused.
func (s *story) isRefused(step string, f forge, try func() (any, error)) {
	s.mayBeRefused(step, f, func() (any, error) {
		_, err := try()
		if err == nil {
			err = errors.New("it was not refused")
		}
		return nil, err
	})
}

func (s *story) pulls(step string) func([]pull, any) {
	return func(pulls []pull, place any) {
		saw := []string{}
		for _, one := range pulls {
			saw = append(saw, fmt.Sprintf("%d: %s", one.number, one.title))
		}
		s.print(line{Step: step, Saw: saw, Place: place})
	}
}

func (s *story) comments(step string) func([]said, any) {
	return func(all []said, place any) {
		saw := []string{}
		for _, one := range all {
			saw = append(saw, one.by+": "+one.text)
		}
		s.print(line{Step: step, Saw: saw, Place: place})
	}
}

// What a refusal has.
type refusal struct {
	Status int `json:"status,omitempty"`
	Words  any `json:"words"`
}
