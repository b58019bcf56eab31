package grpcapi

import (
	"strings"
	"unicode"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"stockyard/service/auth"
)

// register serves a service whose messages are read strictly.
func (d *Server) register(desc *grpc.ServiceDesc, serves any) {
	strict := *desc
	strict.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		operation := operationOf(m.MethodName)
		d.operations["/"+desc.ServiceName+"/"+m.MethodName] = operation
		read := receiver(readMessage)
		if operation == auth.MoveBatch || operation == auth.ReserveBatch {
			read = d.readBatch
		}
		strict.Methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: strictly(m.Handler, read)}
	}
	for _, s := range desc.Streams {
		d.operations["/"+desc.ServiceName+"/"+s.StreamName] = operationOf(s.StreamName)
	}
	d.grpc.RegisterService(&strict, serves)
	d.health.SetServingStatus(desc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
}

// operationOf is a method's name as metrics, grants and REST's table of routes write it.
func operationOf(method string) auth.Operation {
	var b strings.Builder
	for i, r := range method {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return auth.Operation(b.String())
}
