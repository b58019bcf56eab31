package grpcapi

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"

	"stockyard/service"
	"stockyard/service/inventory"
)

// patch gives what applies the fields that a mask names to a catalogue entry: the entry becomes its
// writable form, the fields are copied into that, and the entry is made of the result.
func patch[Entry any, Input proto.Message](
	input Input, mask *fieldmaskpb.FieldMask, inputOf func(Entry) (Input, error), apply func(Entry, Input) Entry,
) (func(Entry) (Entry, error), error) {
	paths, err := pathsOf(input.ProtoReflect(), mask)
	if err != nil {
		return nil, err
	}
	return func(entry Entry) (Entry, error) {
		merged, err := inputOf(entry)
		if err != nil {
			return entry, err
		}
		for _, path := range paths {
			copyField(merged.ProtoReflect(), input.ProtoReflect(), path)
		}
		return apply(entry, merged), nil
	}, nil
}

// pathsOf gives the fields that a mask names, without one those that are set, or says which of them
// don't exist.
func pathsOf(input protoreflect.Message, mask *fieldmaskpb.FieldMask) (paths []string, err error) {
	if len(mask.GetPaths()) == 0 {
		input.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			paths = append(paths, string(f.Name()))
			return true
		})
		return paths, nil
	}
	var r reader
	for i, path := range mask.GetPaths() {
		name, key, deep := strings.Cut(path, ".")
		f := input.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil || deep && (!isStruct(f) || key == "") {
			r.add(fmt.Sprintf("update_mask.paths[%d]", i), fmt.Sprintf("%q is no field that can be changed", path))
		}
	}
	return mask.GetPaths(), r.err()
}

func isStruct(f protoreflect.FieldDescriptor) bool {
	return f.Message() != nil && f.Message().FullName() == (&structpb.Struct{}).ProtoReflect().Descriptor().FullName()
}

// copyField copies a field, or one entry of a field of free values. What isn't set empties it.
func copyField(to, from protoreflect.Message, path string) {
	name, key, deep := strings.Cut(path, ".")
	f := to.Descriptor().Fields().ByName(protoreflect.Name(name))
	if !deep {
		if to.Clear(f); from.Has(f) {
			to.Set(f, from.Get(f))
		}
		return
	}
	values := &structpb.Struct{}
	proto.Merge(values, to.Get(f).Message().Interface())
	given, _ := from.Get(f).Message().Interface().(*structpb.Struct)
	if values.Fields == nil {
		values.Fields = map[string]*structpb.Value{}
	}
	if v := given.GetFields()[key]; v != nil {
		values.Fields[key] = v
	} else {
		delete(values.Fields, key)
	}
	to.Set(f, protoreflect.ValueOfMessage(values.ProtoReflect()))
}

// catalogued reads what calls that name a catalogue entry have in common.
func catalogued(field, name string, check func(string) string) error {
	if wrong := check(name); wrong != "" {
		return service.Invalid(inventory.FieldError{Field: field, Message: wrong})
	}
	return nil
}
