// Checks an ARM template against the models of Microsoft's own SDK, which are generated from the descriptions of Azure's APIs:
// names, nesting and types of everything in a resource, and the values of enumerations. What is required, what only Azure sets, the
// limits of values and what expressions give are not in these models.
//
//	check azuredeploy.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/hdinsight/armhdinsight"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armlocks"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage"
)

const deployment = "Microsoft.Resources/deployments"

var models = map[string]any{
	"Microsoft.Authorization/locks":                            armlocks.ManagementLockObject{},
	"Microsoft.Compute/virtualMachines":                        armcompute.VirtualMachine{},
	"Microsoft.Compute/virtualMachines/extensions":             armcompute.VirtualMachineExtension{},
	"Microsoft.HDInsight/clusters":                             armhdinsight.ClusterCreateParametersExtended{},
	"Microsoft.Network/natGateways":                            armnetwork.NatGateway{},
	"Microsoft.Network/networkInterfaces":                      armnetwork.Interface{},
	"Microsoft.Network/networkSecurityGroups":                  armnetwork.SecurityGroup{},
	"Microsoft.Network/publicIPAddresses":                      armnetwork.PublicIPAddress{},
	"Microsoft.Network/virtualNetworks":                        armnetwork.VirtualNetwork{},
	"Microsoft.Network/virtualNetworks/virtualNetworkPeerings": armnetwork.VirtualNetworkPeering{},
	"Microsoft.Storage/storageAccounts":                        armstorage.AccountCreateParameters{},
}

// The enumerations that templates use; another one is an error, so that none passes unchecked.
var enumerations = map[reflect.Type][]string{}

func enumeration[T ~string](values []T) {
	var texts []string
	for _, value := range values {
		texts = append(texts, string(value))
	}
	enumerations[reflect.TypeFor[T]()] = texts
}

func init() {
	enumeration(armlocks.PossibleLockLevelValues())
	enumeration(armcompute.PossibleCachingTypesValues())
	enumeration(armcompute.PossibleDiskCreateOptionTypesValues())
	enumeration(armcompute.PossibleDiskDeleteOptionTypesValues())
	enumeration(armcompute.PossibleLinuxVMGuestPatchModeValues())
	enumeration(armcompute.PossibleSecurityTypesValues())
	enumeration(armcompute.PossibleStorageAccountTypesValues())
	enumeration(armcompute.PossibleVirtualMachineSizeTypesValues())
	enumeration(armcompute.PossibleResourceIdentityTypeValues())
	enumeration(armhdinsight.PossibleOSTypeValues())
	enumeration(armhdinsight.PossibleTierValues())
	enumeration(armnetwork.PossibleIPAllocationMethodValues())
	enumeration(armnetwork.PossibleNatGatewaySKUNameValues())
	enumeration(armnetwork.PossiblePublicIPAddressSKUNameValues())
	enumeration(armnetwork.PossibleSecurityRuleAccessValues())
	enumeration(armnetwork.PossibleSecurityRuleDirectionValues())
	enumeration(armnetwork.PossibleSecurityRuleProtocolValues())
	enumeration(armstorage.PossibleAccessTierValues())
	enumeration(armstorage.PossibleBypassValues())
	enumeration(armstorage.PossibleDefaultActionValues())
	enumeration(armstorage.PossibleKindValues())
	enumeration(armstorage.PossibleMinimumTLSVersionValues())
	enumeration(armstorage.PossiblePublicNetworkAccessValues())
	enumeration(armstorage.PossibleSKUNameValues())
	enumeration(armstorage.PossibleExpirationActionValues())
}

// What the SDK calls otherwise than Azure does, in lower case.
var renamed = map[string]string{"supportshttpstrafficonly": "enablehttpstrafficonly"}

type check struct {
	parameters map[string]string
	problems   []string
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	found := check{parameters: map[string]string{}}
	for name, parameter := range template["parameters"].(map[string]any) {
		found.parameters[name] = parameter.(map[string]any)["type"].(string)
	}
	count := found.resources("resources", template["resources"].([]any))
	for _, problem := range found.problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(found.problems) > 0 {
		os.Exit(1)
	}
	fmt.Println(count, "resources fit")
}

func (c *check) say(path, format string, values ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, values...))
}

// How many there are.
func (c *check) resources(path string, list []any) int {
	count := 0
	for _, item := range list {
		resource := item.(map[string]any)
		kind := resource["type"].(string)
		place := fmt.Sprintf("%s[%s %s]", path, kind, resource["name"])
		if kind == deployment {
			inner := resource["properties"].(map[string]any)["template"].(map[string]any)
			count += 1 + c.resources(place, inner["resources"].([]any))
			continue
		}
		model, known := models[kind]
		if !known {
			c.say(place, "no model of this type")
			continue
		}
		// of the template, not of the resource
		body := map[string]any{}
		for key, value := range resource {
			if !slices.Contains([]string{"type", "apiVersion", "name", "dependsOn", "condition"}, key) {
				body[key] = value
			}
		}
		c.value(place, body, reflect.TypeOf(model))
		count++
	}
	return count
}

var parameter = regexp.MustCompile(`^\[parameters\('([A-Za-z0-9_]+)'\)\]$`)

func isExpression(text string) bool {
	return strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "[[")
}

func (c *check) value(path string, value any, model reflect.Type) {
	for model.Kind() == reflect.Pointer {
		model = model.Elem()
	}
	if model.Kind() == reflect.Interface {
		return
	}
	if text, is := value.(string); is && isExpression(text) {
		c.expression(path, text, model)
		return
	}
	switch {
	case model == reflect.TypeFor[time.Time]():
		if _, is := value.(string); !is {
			c.say(path, "a time is wanted")
		}
	case model.Kind() == reflect.Struct:
		c.object(path, value, model)
	case model.Kind() == reflect.Slice:
		list, is := value.([]any)
		if !is {
			c.say(path, "a list is wanted")
		}
		for at, item := range list {
			c.value(fmt.Sprintf("%s[%d]", path, at), item, model.Elem())
		}
	case model.Kind() == reflect.Map:
		object, is := value.(map[string]any)
		if !is {
			c.say(path, "an object is wanted")
		}
		for key, item := range object {
			c.value(path+"."+key, item, model.Elem())
		}
	case model.Kind() == reflect.String:
		text, is := value.(string)
		if !is {
			c.say(path, "a text is wanted")
		} else if model.PkgPath() != "" {
			values, listed := enumerations[model]
			if !listed {
				c.say(path, "the values of %s are not listed in this program", model)
			} else if !slices.ContainsFunc(values, func(it string) bool { return strings.EqualFold(it, text) }) {
				c.say(path, "%q is none of %s", text, strings.Join(values, ", "))
			}
		}
	case model.Kind() == reflect.Bool:
		if _, is := value.(bool); !is {
			c.say(path, "true or false is wanted")
		}
	default:
		if _, is := value.(float64); !is {
			c.say(path, "a number is wanted")
		}
	}
}

// What a parameter gives has the parameter's type; other expressions of the templates give texts.
func (c *check) expression(path, text string, model reflect.Type) {
	kind := "string"
	if found := parameter.FindStringSubmatch(text); found != nil {
		kind = strings.ToLower(c.parameters[found[1]])
	}
	wanted := "string"
	switch model.Kind() {
	case reflect.String:
	case reflect.Bool:
		wanted = "bool"
	case reflect.Struct, reflect.Map, reflect.Slice:
		wanted = "object"
	default:
		wanted = "int"
	}
	if strings.TrimPrefix(kind, "secure") != wanted {
		c.say(path, "%s is of the type %s, wanted is %s", text, kind, wanted)
	}
}

func (c *check) object(path string, value any, model reflect.Type) {
	object, is := value.(map[string]any)
	if !is {
		c.say(path, "an object is wanted")
		return
	}
	fields := map[string]reflect.StructField{}
	for at := range model.NumField() {
		field := model.Field(at)
		// the SDK writes abbreviations in capitals, and Azure takes names in any case
		fields[strings.ToLower(field.Name)] = field
	}
	for key, item := range object {
		name := strings.ToLower(key)
		if other, is := renamed[name]; is {
			name = other
		}
		field, known := fields[name]
		if !known {
			c.say(path, "%s has no %q", model, key)
			continue
		}
		c.value(path+"."+key, item, field.Type)
	}
}
