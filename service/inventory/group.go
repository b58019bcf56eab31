package inventory

import "errors"

// Group is commands that take effect together or not at all, each decided on what those before left.
type Group struct {
	Commands []Command
}

// Needs implements Command.
func (g *Group) Needs() Needs {
	var n Needs
	for _, c := range g.Commands {
		n.Add(c.Needs())
	}
	return n
}

// Decide implements Command. The refusal of one is the refusal of all, and says which one it was.
func (g *Group) Decide(d *Draft) (Answer, error) {
	answers := make([]Answer, len(g.Commands))
	for i, c := range g.Commands {
		answer, err := c.Decide(d)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			refusal.Item = i
			return Answer{}, refusal
		}
		if err != nil {
			return Answer{}, err
		}
		answers[i] = answer
	}
	return Answer{Group: answers}, nil
}
