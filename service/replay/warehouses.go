package replay

import "strings"

// Warehouse is one of the three places the sample's sales are served from, one a region.
type Warehouse struct {
	Location string
	Region   string
	Country  string // where it stands, ISO 3166-1 alpha-2
	Title    string
}

const (
	london = iota
	newYork
	singapore
)

// Warehouses in the order reports list them.
var Warehouses = [...]Warehouse{
	london:    {Location: "LON", Region: "europe-west1", Country: "GB", Title: "London"},
	newYork:   {Location: "NYC", Region: "us-east1", Country: "US", Title: "New York"},
	singapore: {Location: "SIN", Region: "asia-southeast1", Country: "SG", Title: "Singapore"},
}

// serves says which warehouse serves a country, as an index into Warehouses. What is in neither
// list, known or not, goes to Singapore.
func serves(country string) int {
	if w, found := servedBy[strings.ToLower(country)]; found {
		return w
	}
	return singapore
}

// The spellings are those of the data (EIRE, RSA) and the usual ones beside them. Europe is taken
// as its countries and their dependencies there, with Cyprus and the data's "European Community".
var (
	american = []string{"USA", "United States", "United States of America", "Canada", "Brazil"}
	european = []string{
		"Albania", "Andorra", "Austria", "Belarus", "Belgium", "Bosnia and Herzegovina", "Bulgaria",
		"Channel Islands", "Croatia", "Cyprus", "Czech Republic", "Czechia", "Denmark", "EIRE", "Estonia",
		"European Community", "Faroe Islands", "Finland", "France", "Germany", "Gibraltar", "Great Britain", "Greece",
		"Guernsey", "Hungary", "Iceland", "Ireland", "Isle of Man", "Italy", "Jersey", "Kosovo", "Latvia",
		"Liechtenstein", "Lithuania", "Luxembourg", "Malta", "Moldova", "Monaco", "Montenegro",
		"Netherlands", "North Macedonia", "Norway", "Poland", "Portugal", "Romania", "Russia",
		"San Marino", "Serbia", "Slovakia", "Slovenia", "Spain", "Sweden", "Switzerland", "Ukraine",
		"UK", "United Kingdom", "Vatican City",
	}
	servedBy = countries()
)

func countries() map[string]int {
	by := make(map[string]int, len(european)+len(american))
	for _, c := range european {
		by[strings.ToLower(c)] = london
	}
	for _, c := range american {
		by[strings.ToLower(c)] = newYork
	}
	return by
}
