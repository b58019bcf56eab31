package store_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// grammar is an excerpt of CockroachDB's own: each rule's alternatives, each a list of rules and of
// terminals. Those are 'KEYWORD' or 'punctuation', IDENT and SCONST.
type grammar map[string][][]string

var grammarRoots = []string{
	"alter_database_primary_region_stmt", "alter_database_add_region_stmt", "alter_database_drop_region_stmt",
	"alter_database_survival_goal_stmt", "alter_table_locality_stmt",
}

func readGrammars(t *testing.T) map[string]grammar {
	t.Helper()
	files, err := filepath.Glob("testdata/cockroachdb/*.bnf")
	if err != nil || len(files) < 2 {
		t.Fatalf("grammars: %v, %v", files, err)
	}
	all := map[string]grammar{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		g, rule := grammar{}, ""
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line := lines.Text()
			switch name, isRule := strings.CutSuffix(line, " ::="); {
			case isRule:
				rule = name
			case strings.HasPrefix(line, "\t"):
				g[rule] = append(g[rule], strings.Fields(strings.TrimPrefix(line[1:], "| ")))
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".bnf")] = g
	}
	return all
}

var tokenPattern = regexp.MustCompile(`"(?:[^"]|"")+"|'(?:[^']|'')*'|\w+|\S`)

// tokens are what the grammar's terminals stand for. A word is a keyword where the grammar has it.
func (g grammar) tokens(statement string) (tokens []string) {
	keywords := map[string]bool{}
	for _, alternatives := range g {
		for _, alternative := range alternatives {
			for _, symbol := range alternative {
				keywords[symbol] = true
			}
		}
	}
	for _, token := range tokenPattern.FindAllString(statement, -1) {
		switch word := "'" + strings.ToUpper(token) + "'"; {
		case token[0] == '"':
			token = "IDENT"
		case token[0] == '\'':
			token = "SCONST"
		case keywords[word] || !regexp.MustCompile(`^[A-Za-z_]`).MatchString(token):
			token = word
		default:
			token = "IDENT"
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// ends gives every place where a symbol that begins at a place may end.
func (g grammar) ends(symbol string, tokens []string, at int) (ends []int) {
	alternatives, isRule := g[symbol]
	if !isRule {
		if at < len(tokens) && tokens[at] == symbol {
			return []int{at + 1}
		}
		return nil
	}
	for _, alternative := range alternatives {
		places := []int{at}
		for _, part := range alternative {
			var next []int
			for _, place := range places {
				next = append(next, g.ends(part, tokens, place)...)
			}
			places = next
		}
		ends = append(ends, places...)
	}
	return ends
}

// check says whether CockroachDB could parse a statement.
func (g grammar) check(statement string) error {
	tokens := g.tokens(statement)
	for _, root := range grammarRoots {
		if slices.Contains(g.ends(root, tokens, 0), len(tokens)) {
			return nil
		}
	}
	return fmt.Errorf("not in the grammar: %s (%v)", statement, tokens)
}

// What CockroachDB's own parser takes and refuses, the excerpts must.
func TestGrammarsAreRead(t *testing.T) {
	for version, g := range readGrammars(t) {
		for _, good := range []string{
			`ALTER DATABASE foo ADD REGION "us-east-1"`, `ALTER DATABASE a SURVIVE REGION FAILURE`, `ALTER DATABASE a PRIMARY REGION = b`,
			`ALTER TABLE a.b.c SET LOCALITY REGIONAL BY TABLE IN PRIMARY REGION`, `alter table region set locality global`,
		} {
			if err := g.check(good); err != nil {
				t.Errorf("%s: %v", version, err)
			}
		}
		for _, bad := range []string{
			`ALTER DATABASE foo ADD REGION us-east-1`, `ALTER DATABASE a SURVIVE NODE FAILURE`, `ALTER DATABASE a ADD REGIONS b`,
			`ALTER TABLE a SET LOCALITY REGIONAL BY ROW AS`, `ALTER TABLE a SET LOCALITY GLOBAL GLOBAL`, `ALTER TABLE table SET LOCALITY GLOBAL`, ``,
		} {
			if g.check(bad) == nil {
				t.Errorf("%s takes %s", version, bad)
			}
		}
	}
	if g := readGrammars(t); g["v21.1"].check(`ALTER DATABASE a ADD REGION IF NOT EXISTS b`) == nil || g["v25.2"].check(`ALTER DATABASE a ADD REGION IF NOT EXISTS b`) != nil {
		t.Error("the grammars are not those of their versions")
	}
}
