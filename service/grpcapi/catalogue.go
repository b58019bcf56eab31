package grpcapi

import (
	"context"
	"time"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
)

// catalogue serves CatalogueService; a file for each kind of entry.
type catalogue struct {
	service  *service.Service
	stopping context.Context // ends when the pod goes away
	patience time.Duration   // with the client of a stream
}

func (c *catalogue) ListRegions(context.Context, *pb.ListRegionsRequest) (*pb.ListRegionsResponse, error) {
	topology := c.service.Topology()
	answer := &pb.ListRegionsResponse{AnsweredBy: c.service.Region()}
	for _, r := range topology.Regions {
		answer.Regions = append(answer.Regions, &pb.Region{
			Name: r.Name, Primary: r.Name == topology.Primary,
			Latitude: r.Latitude, Longitude: r.Longitude, Countries: r.Countries,
		})
	}
	return answer, nil
}
