package main

import (
	"encoding/json"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"mirrorctl.io/aws-stand-in/schema"
)

// The protocol's form of a block.
func convert(block schema.Block) *tfprotov6.SchemaBlock {
	result := &tfprotov6.SchemaBlock{}
	for _, name := range sorted(block.Attributes) {
		attribute := block.Attributes[name]
		result.Attributes = append(result.Attributes, &tfprotov6.SchemaAttribute{
			Name:     name,
			Type:     typeOf(attribute.Type),
			Required: attribute.Required,
			Optional: attribute.Optional,
			Computed: attribute.Computed,
		})
	}
	for _, name := range sorted(block.Blocks) {
		nested := block.Blocks[name]
		converted := &tfprotov6.SchemaNestedBlock{
			TypeName: name,
			Block:    convert(nested.Block),
			MinItems: nested.Min,
			MaxItems: nested.Max,
		}
		switch nested.Nesting {
		case "set":
			converted.Nesting = tfprotov6.SchemaNestedBlockNestingModeSet
		case "single":
			converted.Nesting = tfprotov6.SchemaNestedBlockNestingModeSingle
		default:
			converted.Nesting = tfprotov6.SchemaNestedBlockNestingModeList
		}
		result.BlockTypes = append(result.BlockTypes, converted)
	}
	return result
}

func typeOf(written any) tftypes.Type {
	text, err := json.Marshal(written)
	if err == nil {
		//nolint:staticcheck // the JSON form is Terraform's own
		if parsed, err := tftypes.ParseJSONType(text); err == nil {
			return parsed
		}
	}
	return tftypes.DynamicPseudoType
}

func sorted[T any](of map[string]T) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
