package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/report"
)

// reports serves ReportService.
type reports struct{ service *service.Service }

func (s *reports) ListReports(ctx context.Context, _ *pb.ListReportsRequest) (*pb.ListReportsResponse, error) {
	all, err := s.service.Reports(callerOf(ctx))
	return &pb.ListReportsResponse{Items: each(all, reportOf)}, err
}

func reportOf(r *report.Report) *pb.Report {
	return &pb.Report{
		Name: r.Name, Title: r.Title, Question: r.Question, Columns: each(r.Columns, columnOf),
		Parameters: each(r.Params, func(p report.Param) *pb.ReportParam {
			return &pb.ReportParam{Name: p.Name, Type: string(p.Type), Required: p.Required, Default: p.Default, Bounds: p.Bounds, About: p.About}
		}),
	}
}

func columnOf(c report.Column) *pb.ReportColumn {
	return &pb.ReportColumn{Name: c.Name, Type: string(c.Type), Unit: c.Unit, About: c.About}
}

func (s *reports) RunReport(ctx context.Context, r *pb.RunReportRequest) (*pb.RunReportResponse, error) {
	result, err := s.service.RunReport(ctx, callerOf(ctx), service.ReportQuery{
		Name: r.GetReport(), Params: r.GetParameters(), MaxStaleness: r.GetMaxStaleness(),
	})
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, result.AsOf)
	answer := &pb.RunReportResponse{AsOf: timestamppb.New(result.AsOf), More: result.More, Parameters: map[string]string{}, Columns: each(result.Report.Columns, columnOf)}
	for i, p := range result.Report.Params {
		answer.Parameters[p.Name] = result.Params[i]
	}
	for _, row := range result.Rows {
		answer.Rows = append(answer.Rows, &pb.ReportRow{Values: each(row, cellOf)})
	}
	return answer, nil
}

func cellOf(v report.Value) *pb.ReportValue {
	if !v.Valid {
		return &pb.ReportValue{}
	}
	return &pb.ReportValue{Text: &v.Text}
}
