package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"mirrorctl.io/aws-stand-in/schema"
)

// The calls that Terraform makes for resources and data sources. What else a provider can do is not offered, so it is not called.
type server struct {
	tfprotov6.ProviderServer
	document  *schema.Document
	resources map[string]*tfprotov6.Schema
	data      map[string]*tfprotov6.Schema
	provider  *tfprotov6.Schema
}

func newServer(document *schema.Document) *server {
	result := &server{
		document:  document,
		resources: map[string]*tfprotov6.Schema{},
		data:      map[string]*tfprotov6.Schema{},
		provider:  &tfprotov6.Schema{Block: convert(document.Provider)},
	}
	for name, block := range document.Resources {
		result.resources[name] = &tfprotov6.Schema{Block: convert(block)}
	}
	for name, block := range document.DataSources {
		result.data[name] = &tfprotov6.Schema{Block: convert(block)}
	}
	return result
}

func (s *server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	response := &tfprotov6.GetMetadataResponse{}
	for _, name := range sorted(s.resources) {
		response.Resources = append(response.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for _, name := range sorted(s.data) {
		response.DataSources = append(response.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return response, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:          s.provider,
		ResourceSchemas:   s.resources,
		DataSourceSchemas: s.data,
	}, nil
}

func (s *server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (s *server) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{}, nil
}

func (s *server) ValidateProviderConfig(_ context.Context, request *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (s *server) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (s *server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

// Terraform has compared the configuration with the schema by now, which is all that can be checked here.
func (s *server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s *server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (s *server) UpgradeResourceState(_ context.Context, request *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	state, err := request.RawState.Unmarshal(s.resources[request.TypeName].ValueType())
	if err != nil {
		return nil, err
	}
	upgraded, err := tfprotov6.NewDynamicValue(state.Type(), state)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &upgraded}, err
}

func (s *server) ReadResource(_ context.Context, request *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: request.CurrentState}, nil
}

// What is computed and not written is not known before it is created.
func (s *server) PlanResourceChange(_ context.Context, request *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	filled, err := fill(request.ProposedNewState, s.resources[request.TypeName], func(of tftypes.Type) tftypes.Value {
		return tftypes.NewValue(of, tftypes.UnknownValue)
	})
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: filled}, err
}

func (s *server) ApplyResourceChange(_ context.Context, request *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return &tfprotov6.ApplyResourceChangeResponse{
		NewState: request.PriorState,
		Diagnostics: []*tfprotov6.Diagnostic{{
			Severity: tfprotov6.DiagnosticSeverityError,
			Summary:  "this is a schema-derived stand-in, not the AWS provider",
			Detail:   "It creates nothing. Its schema comes from " + s.document.Source + ".",
		}},
	}, nil
}

// Data of an account that does not exist.
func (s *server) ReadDataSource(_ context.Context, request *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	filled, err := fill(request.Config, s.data[request.TypeName], placeholder)
	return &tfprotov6.ReadDataSourceResponse{State: filled}, err
}

func placeholder(of tftypes.Type) tftypes.Value {
	switch {
	case of.Is(tftypes.String):
		return tftypes.NewValue(of, "stand-in")
	case of.Is(tftypes.Number):
		return tftypes.NewValue(of, 0)
	case of.Is(tftypes.Bool):
		return tftypes.NewValue(of, false)
	default:
		return tftypes.NewValue(of, nil)
	}
}

// Puts a value where something computed is not written.
func fill(dynamic *tfprotov6.DynamicValue, of *tfprotov6.Schema, with func(tftypes.Type) tftypes.Value) (*tfprotov6.DynamicValue, error) {
	if of == nil {
		return nil, fmt.Errorf("no such resource")
	}
	value, err := dynamic.Unmarshal(of.ValueType())
	if err != nil {
		return nil, err
	}
	if value.IsNull() {
		return dynamic, nil
	}
	filled, err := fillBlock(value, of.Block, with)
	if err != nil {
		return nil, err
	}
	result, err := tfprotov6.NewDynamicValue(of.ValueType(), filled)
	return &result, err
}

func fillBlock(value tftypes.Value, block *tfprotov6.SchemaBlock, with func(tftypes.Type) tftypes.Value) (tftypes.Value, error) {
	if value.IsNull() || !value.IsKnown() {
		return value, nil
	}
	parts := map[string]tftypes.Value{}
	if err := value.As(&parts); err != nil {
		return value, err
	}
	for _, attribute := range block.Attributes {
		if attribute.Computed && parts[attribute.Name].IsNull() {
			parts[attribute.Name] = with(attribute.Type)
		}
	}
	for _, nested := range block.BlockTypes {
		part := parts[nested.TypeName]
		if part.IsNull() || !part.IsKnown() {
			continue
		}
		if nested.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle {
			filled, err := fillBlock(part, nested.Block, with)
			if err != nil {
				return value, err
			}
			parts[nested.TypeName] = filled
			continue
		}
		var items []tftypes.Value
		if err := part.As(&items); err != nil {
			return value, err
		}
		for at := range items {
			filled, err := fillBlock(items[at], nested.Block, with)
			if err != nil {
				return value, err
			}
			items[at] = filled
		}
		parts[nested.TypeName] = tftypes.NewValue(part.Type(), items)
	}
	return tftypes.NewValue(value.Type(), parts), nil
}
