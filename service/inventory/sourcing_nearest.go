package inventory

import (
	"cmp"
	"math"
)

// rankByDistance asks the sites nearest to the destination first.
func rankByDistance(o Order) []Site {
	return sortedSites(o.Sites, func(a, b Site) int { return cmp.Compare(a.Distance, b.Distance) })
}

// Kilometres is the great-circle distance between two points in degrees, by the haversine formula
// on a sphere of the earth's mean radius (6371.0088 km, IUGG); off by at most 0.6 %.
func Kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const radius, degree = 6371.0088, math.Pi / 180
	dLat, dLon := (lat2-lat1)*degree, (lon2-lon1)*degree
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(lat1*degree)*math.Cos(lat2*degree)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(min(h, 1)))
}
