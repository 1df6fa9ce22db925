// Extract reads resource schemas from the npm package @cdktf/provider-aws.
//
//	extract PACKAGE MODULES > schema.json
//
// PACKAGE is the unpacked package, MODULES a folder of Terraform modules: what they use is extracted, and nothing else.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"mirrorctl.io/aws-stand-in/schema"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: extract PACKAGE MODULES"))
	}
	document, err := extract(os.Args[1], os.Args[2])
	if err != nil {
		fail(err)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(document); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "extract:", err)
	os.Exit(1)
}

func extract(pack, modules string) (*schema.Document, error) {
	source, err := origin(pack)
	if err != nil {
		return nil, err
	}
	resources, data, err := used(modules)
	if err != nil {
		return nil, err
	}
	if len(resources) == 0 {
		return nil, fmt.Errorf("%s uses no resource of AWS", modules)
	}
	document := &schema.Document{Source: source, Resources: map[string]schema.Block{}, DataSources: map[string]schema.Block{}}
	for name := range resources {
		folder := strings.ReplaceAll(strings.TrimPrefix(name, "aws_"), "_", "-")
		if document.Resources[name], err = read(filepath.Join(pack, "lib", folder)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for name := range data {
		folder := "data-" + strings.ReplaceAll(name, "_", "-")
		if document.DataSources[name], err = read(filepath.Join(pack, "lib", folder)); err != nil {
			return nil, fmt.Errorf("data.%s: %w", name, err)
		}
	}
	if document.Provider, err = read(filepath.Join(pack, "lib", "provider")); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	// a provider computes nothing
	for name, attribute := range document.Provider.Attributes {
		attribute.Computed = false
		if attribute.Required || attribute.Optional {
			document.Provider.Attributes[name] = attribute
		} else {
			delete(document.Provider.Attributes, name)
		}
	}
	return document, nil
}

func origin(pack string) (string, error) {
	text, err := os.ReadFile(filepath.Join(pack, "package.json"))
	if err != nil {
		return "", err
	}
	var read struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Cdktf   struct {
			Provider struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"provider"`
		} `json:"cdktf"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s, of %s %s", read.Name, read.Version, read.Cdktf.Provider.Name, read.Cdktf.Provider.Version), nil
}

var (
	resourceLine = regexp.MustCompile(`(?m)^resource "(aws_[a-z0-9_]+)"`)
	dataLine     = regexp.MustCompile(`(?m)^data "(aws_[a-z0-9_]+)"`)
)

func used(modules string) (resources, data map[string]bool, err error) {
	resources, data = map[string]bool{}, map[string]bool{}
	err = filepath.WalkDir(modules, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range resourceLine.FindAllSubmatch(text, -1) {
			resources[string(found[1])] = true
		}
		for _, found := range dataLine.FindAllSubmatch(text, -1) {
			data[string(found[1])] = true
		}
		return nil
	})
	return resources, data, err
}

// A generated file, cut into what describes one block each.
type source struct {
	code    string
	types   string
	structs map[string]string // by function name without ToHclTerraform
}

var (
	function  = regexp.MustCompile(`(?m)^function (\w+)ToHclTerraform\(`)
	entry     = regexp.MustCompile(`(?m)^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)",`)
	property  = regexp.MustCompile(`(?:struct\.|this\._)(\w+)`)
	nested    = regexp.MustCompile(`(\w+)ToHclTerraform`)
	getter    = regexp.MustCompile(`get(\w*)Attribute\('(\w+)'\)`)
	mainClass = regexp.MustCompile(`(?m)^class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider) `)
)

func read(folder string) (schema.Block, error) {
	code, err := os.ReadFile(filepath.Join(folder, "index.js"))
	if err != nil {
		return schema.Block{}, err
	}
	types, err := os.ReadFile(filepath.Join(folder, "index.d.ts"))
	if err != nil {
		return schema.Block{}, err
	}
	from := source{code: string(code), types: string(types), structs: map[string]string{}}
	for _, at := range function.FindAllStringSubmatchIndex(from.code, -1) {
		body := from.code[at[0]:]
		if end := strings.Index(body, "\n}\n"); end >= 0 {
			body = body[:end]
		}
		from.structs[from.code[at[2]:at[3]]] = body
	}
	class := mainClass.FindStringSubmatchIndex(from.code)
	if class == nil {
		return schema.Block{}, fmt.Errorf("no class in %s", folder)
	}
	body := from.code[class[0]:]
	at := strings.Index(body, "synthesizeHclAttributes() {")
	if at < 0 {
		return schema.Block{}, fmt.Errorf("no attributes in %s", folder)
	}
	return from.block(body[at:], from.code[class[2]:class[3]]+"Config", body[:at], true)
}

// One block: `attributes` describes what can be written, `shape` is the interface that says what must be, and `getters` reads
// what the provider computes.
func (from source) block(attributes, shape, getters string, top bool) (schema.Block, error) {
	block := schema.Block{Attributes: map[string]schema.Attribute{}, Blocks: map[string]schema.Nested{}}
	required, err := from.required(shape)
	if err != nil {
		return block, err
	}
	for _, found := range entry.FindAllStringSubmatch(attributes, -1) {
		name, value, isBlock, kind, class := found[1], found[2], found[3] == "true", found[4], found[5]
		written := property.FindStringSubmatch(value)
		if written == nil {
			return block, fmt.Errorf("%s.%s: no property in %s", shape, name, value)
		}
		must := required[written[1]]
		if isBlock {
			inner, err := from.nested(value, kind, must)
			if err != nil {
				return block, fmt.Errorf("%s.%s: %w", shape, name, err)
			}
			block.Blocks[name] = inner
			continue
		}
		block.Attributes[name] = schema.Attribute{
			Type:     typeOf(kind, class),
			Required: must,
			Optional: !must,
			// the package does not tell what is computed where it is not written; ids and the like are
			Computed: top && !must,
		}
	}
	for _, found := range getter.FindAllStringSubmatch(getters, -1) {
		kind, name := found[1], found[2]
		if _, written := block.Attributes[name]; written {
			continue
		}
		if _, written := block.Blocks[name]; written {
			continue
		}
		if of := computedType(kind); of != nil {
			block.Attributes[name] = schema.Attribute{Type: of, Computed: true}
		}
	}
	return block, nil
}

func (from source) nested(value, kind string, must bool) (schema.Nested, error) {
	names := nested.FindAllStringSubmatch(value, -1)
	if len(names) == 0 {
		return schema.Nested{}, fmt.Errorf("no block in %s", value)
	}
	function := names[len(names)-1][1]
	body, known := from.structs[function]
	if !known {
		return schema.Nested{}, fmt.Errorf("no function %s", function)
	}
	shape := strings.ToUpper(function[:1]) + function[1:]
	inner, err := from.block(body, shape, from.class(shape+"OutputReference"), false)
	if err != nil {
		return schema.Nested{}, err
	}
	result := schema.Nested{Block: inner}
	switch kind {
	case "struct":
		result.Nesting = "single"
	case "set":
		result.Nesting = "set"
	case "list":
		result.Nesting = "list"
	default:
		return result, fmt.Errorf("unknown nesting %s", kind)
	}
	if result.Nesting != "single" {
		if !strings.Contains(value, "listMapperHcl") {
			result.Max = 1
		}
		if must {
			result.Min = 1
		}
	}
	return result, nil
}

// The text of a class, or nothing.
func (from source) class(name string) string {
	at := strings.Index(from.code, "\nclass "+name+" ")
	if at < 0 {
		return ""
	}
	body := from.code[at+1:]
	if end := strings.Index(body, "\n}\n"); end >= 0 {
		body = body[:end]
	}
	return body
}

var line = regexp.MustCompile(`(?m)^    readonly (\w+)(\??):`)

// Which properties of an interface have to be written.
func (from source) required(shape string) (map[string]bool, error) {
	required := map[string]bool{}
	start := regexp.MustCompile(`(?m)^export interface ` + shape + ` (extends .*)?\{`).FindStringIndex(from.types)
	if start == nil {
		return nil, fmt.Errorf("no interface %s", shape)
	}
	body := from.types[start[1]:]
	if end := strings.Index(body, "\n}\n"); end >= 0 {
		body = body[:end]
	}
	for _, found := range line.FindAllStringSubmatch(body, -1) {
		required[found[1]] = found[2] == ""
	}
	return required, nil
}

func typeOf(kind, class string) any {
	scalar := map[string]any{"string": "string", "number": "number", "boolean": "bool"}
	if kind == "simple" {
		if of, known := scalar[class]; known {
			return of
		}
		return "dynamic"
	}
	for _, ending := range []string{"List", "Map"} {
		of, known := scalar[strings.TrimSuffix(class, ending)]
		if known && strings.HasSuffix(class, ending) {
			return []any{kind, of}
		}
	}
	return "dynamic"
}

func computedType(kind string) any {
	switch kind {
	case "String":
		return "string"
	case "Number":
		return "number"
	case "Boolean":
		return "bool"
	case "List":
		return []any{"list", "string"}
	case "NumberList":
		return []any{"list", "number"}
	case "StringMap":
		return []any{"map", "string"}
	default:
		return nil
	}
}
