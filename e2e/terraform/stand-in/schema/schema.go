// Package schema is what the extractor writes and the stand-in serves.
package schema

// Document holds everything that was extracted.
type Document struct {
	Source      string           `json:"source"`
	Provider    Block            `json:"provider"`
	Resources   map[string]Block `json:"resources"`
	DataSources map[string]Block `json:"data_sources"`
}

// Block is a resource, a data source, or a nested block.
type Block struct {
	Attributes map[string]Attribute `json:"attributes"`
	Blocks     map[string]Nested    `json:"blocks,omitempty"`
}

// Attribute has a type of Terraform's JSON form: "string", ["list","string"].
type Attribute struct {
	Type     any  `json:"type"`
	Required bool `json:"required,omitempty"`
	Optional bool `json:"optional,omitempty"`
	Computed bool `json:"computed,omitempty"`
}

// Nested is a block inside a block.
type Nested struct {
	Nesting string `json:"nesting"` // list, set, single
	Min     int64  `json:"min,omitempty"`
	Max     int64  `json:"max,omitempty"` // 0: any number
	Block   Block  `json:"block"`
}
