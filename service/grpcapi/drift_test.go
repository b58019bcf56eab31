package grpcapi_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// What lies in stockyardv1 is what the plugins of go.mod make of the .proto files, to the byte, as
// `make generate` would have it; the network isn't asked.
func TestGeneratedCodeIsThatOfTheProtoFiles(t *testing.T) {
	request := compile(t)
	want := map[string]string{}
	for plugin, parameter := range map[string]string{
		"protoc-gen-go":      "module=stockyard/service/grpcapi",
		"protoc-gen-go-grpc": "module=stockyard/service/grpcapi,require_unimplemented_servers=false",
	} {
		request.Parameter = &parameter
		for _, f := range run(t, plugin, request) {
			want[f.GetName()] = f.GetContent()
		}
	}
	there, err := filepath.Glob("stockyardv1/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if content, known := want[file]; !known || content != string(raw) {
			t.Errorf("%s is not what the .proto files say: run `make generate`", file)
		}
		delete(want, file)
	}
	for file := range want {
		t.Errorf("%s is missing: run `make generate`", file)
	}
}

// compile asks for code of all .proto files.
func compile(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	files, err := filepath.Glob("proto/stockyard/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for i, f := range files {
		files[i] = strings.TrimPrefix(filepath.ToSlash(f), "proto/")
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{"proto"}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	if err != nil {
		t.Fatal(err)
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files}
	for _, f := range compiled {
		addWithImports(request, f)
	}
	return request
}

// addWithImports adds a file after those that it imports.
func addWithImports(request *pluginpb.CodeGeneratorRequest, f protoreflect.FileDescriptor) {
	if slices.ContainsFunc(request.ProtoFile, func(d *descriptorpb.FileDescriptorProto) bool { return d.GetName() == f.Path() }) {
		return
	}
	for i := range f.Imports().Len() {
		addWithImports(request, f.Imports().Get(i).FileDescriptor)
	}
	request.ProtoFile = append(request.ProtoFile, protodesc.ToFileDescriptorProto(f))
}

func run(t *testing.T, plugin string, request *pluginpb.CodeGeneratorRequest) []*pluginpb.CodeGeneratorResponse_File {
	t.Helper()
	raw, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "tool", plugin)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", plugin, err)
	}
	var answer pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &answer); err != nil || answer.GetError() != "" {
		t.Fatalf("%s: %v %s", plugin, err, answer.GetError())
	}
	return answer.GetFile()
}
