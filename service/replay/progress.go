package replay

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run is. Both methods may be called by many workers at once.
type progress interface {
	step()
	end()
}

// newProgress is a bar on a terminal, a line every tenth part elsewhere, nothing without a writer.
func newProgress(w io.Writer, steps int) progress {
	switch file, isFile := w.(*os.File); {
	case w == nil:
		return silence{}
	case isFile && term.IsTerminal(int(file.Fd())):
		return bar{w, progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription("replay"),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("step"),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
		)}
	default:
		return &percentLines{w: w, steps: steps}
	}
}

type silence struct{}

func (silence) step() {}
func (silence) end()  {}

// bar ignores what writing to the terminal comes to: a replay need not fail because a bar can't.
type bar struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (b bar) step() { _ = b.bar.Add(1) }

func (b bar) end() {
	_ = b.bar.Exit()
	fmt.Fprintln(b.w)
}

type percentLines struct {
	w     io.Writer
	mu    sync.Mutex
	steps int
	done  int
}

func (p *percentLines) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	tenth := p.done * 10 / p.steps
	p.done++
	if now := p.done * 10 / p.steps; now > tenth {
		fmt.Fprintf(p.w, "replay: %d %% (%d of %d steps)\n", now*10, p.done, p.steps)
	}
}

func (p *percentLines) end() {}
