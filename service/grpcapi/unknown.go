package grpcapi

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"stockyard/service/inventory"
)

// unknownFields names fields that this version doesn't know. A newer client may have meant with one
// that the command is to be done under a condition, or not at all: half of a command is never run.
func unknownFields(m protoreflect.Message, at string) (wrong []inventory.FieldError) {
	for raw := m.GetUnknown(); len(raw) > 0; {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			break
		}
		wrong = append(wrong, inventory.FieldError{Field: fmt.Sprintf("%s#%d", at, number), Message: "is no field of this request"})
		raw = raw[n:]
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil, f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				wrong = append(wrong, unknownFields(v.List().Get(i).Message(), fmt.Sprintf("%s%s[%d].", at, f.Name(), i))...)
			}
		default:
			wrong = append(wrong, unknownFields(v.Message(), at+string(f.Name())+".")...)
		}
		return true
	})
	return wrong
}
