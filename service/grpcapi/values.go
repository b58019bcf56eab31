package grpcapi

import "google.golang.org/protobuf/types/known/structpb"

// valuesOf gives free values as JSON has them. The library's own way makes text of numbers that JSON
// doesn't have; here they stay, to be refused.
func valuesOf(s *structpb.Struct) map[string]any {
	values := make(map[string]any, len(s.GetFields()))
	for key, v := range s.GetFields() {
		values[key] = valueOf(v)
	}
	return values
}

func valueOf(v *structpb.Value) any {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		return kind.NumberValue
	case *structpb.Value_StructValue:
		return valuesOf(kind.StructValue)
	case *structpb.Value_ListValue:
		return each(kind.ListValue.GetValues(), valueOf)
	}
	return v.AsInterface()
}

// structOf gives free values as a message, nil where there are none.
func structOf(values map[string]any) (*structpb.Struct, error) {
	if values == nil {
		return nil, nil
	}
	return structpb.NewStruct(values)
}
