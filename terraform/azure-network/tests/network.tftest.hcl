mock_provider "azurerm" {
  mock_resource "azurerm_virtual_network" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock"
    }
  }
  mock_resource "azurerm_subnet" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock/subnets/mock"
    }
  }
  mock_resource "azurerm_network_security_group" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/networkSecurityGroups/mock"
    }
  }
  mock_resource "azurerm_nat_gateway" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/natGateways/mock"
    }
  }
  mock_resource "azurerm_public_ip" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/publicIPAddresses/mock"
    }
  }
  mock_resource "azurerm_network_interface" {
    defaults = {
      id                          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/networkInterfaces/mock"
      internal_domain_name_suffix = "mock.ax.internal.cloudapp.net"
    }
  }
  mock_resource "azurerm_linux_virtual_machine" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Compute/virtualMachines/mock"
    }
  }
}

variables {
  # the public half of a key whose private half nobody kept
  ssh_public_key  = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCaFdvNhpi4rSi9woQgZy3KbV6EuCkWPmunDvhOiYeYvRVajdAKlVeY9FL+bOpLWq+ES+hBlrqj33TAK7ezfGGc6/mOedbx50sNWqswMlH+ZjqCQ7+v3SrdOYEVwpa5v4MvbD0dc8j9sJotuZ3g+4uYNYceroQF++bzTywTx9ILldlbegxr59fpY+hseshKe82lE+ENd2jsXx4aIk6V9V+vDLKf+14F1J3aI+PxHPPG1tp/9ApApQN6yJfj7qx7TXHr1iW86h2LXbwmomvl0tTZJfmYxU6qMptS5h+nmPwoq5BZ0UAH3H9zT9uK/nCUxwrJIPFCPi87SAFlW6rzWBAV test"
  resource_groups = { kafka = "westeurope" }
  networks = {
    source = { name = "source-vnet", resource_group = "kafka", location = "westeurope", address_space = "10.0.0.0/16", cluster_subnet = "10.0.0.0/24", dns_subnet = "10.0.255.0/28" }
    dest   = { name = "dest-vnet", resource_group = "kafka", location = "westeurope", address_space = "10.1.0.0/16", cluster_subnet = "10.1.0.0/24", dns_subnet = "10.1.255.0/28" }
  }
  peerings = [{ from = "source", to = "dest" }]
}

run "networks_reach_each_other_both_ways" {
  command = apply

  assert {
    condition     = toset(keys(azurerm_virtual_network_peering.this)) == toset(["source-to-dest", "dest-to-source"])
    error_message = "a pair is peered in both directions"
  }
  assert {
    condition     = azurerm_virtual_network_peering.this["source-to-dest"].name == "source-vnet-to-dest-vnet"
    error_message = "a peering is named after its ends"
  }
}

run "names_are_forwarded_to_the_neighbour" {
  command = apply

  assert {
    condition     = azurerm_virtual_network_dns_servers.this["source"].dns_servers == tolist(["10.0.255.4"])
    error_message = "each network asks its own name server"
  }
  assert {
    condition     = strcontains(base64decode(azurerm_linux_virtual_machine.dns["source"].custom_data), "forwarders { 10.1.255.4; };")
    error_message = "the name server of one network asks the other's"
  }
  assert {
    condition     = can(yamldecode(base64decode(azurerm_linux_virtual_machine.dns["dest"].custom_data)))
    error_message = "cloud-init reads YAML"
  }
}

run "a_group_of_somebody_else_is_only_used" {
  command = apply

  variables {
    resource_groups = {}
  }
  assert {
    condition     = length(azurerm_resource_group.this) == 0 && azurerm_virtual_network.this["source"].resource_group_name == "kafka"
    error_message = "no group is made, and the networks lie in the one that is named"
  }
}

run "unknown_peer" {
  command = plan

  variables {
    peerings = [{ from = "source", to = "elsewhere" }]
  }
  expect_failures = [var.peerings]
}

run "not_a_range" {
  command = plan

  variables {
    networks = {
      source = { name = "source-vnet", resource_group = "kafka", location = "westeurope", address_space = "10.0.0.0/33", cluster_subnet = "10.0.0.0/24", dns_subnet = "10.0.255.0/28" }
    }
    peerings = []
  }
  expect_failures = [var.networks]
}

run "a_name_server_is_called_as_machines_may_be" {
  command = apply

  variables {
    networks = {
      source = { name = "source_vnet.1", resource_group = "kafka", location = "westeurope", address_space = "10.0.0.0/16", cluster_subnet = "10.0.0.0/24", dns_subnet = "10.0.255.0/28" }
    }
    peerings = []
  }

  assert {
    condition     = azurerm_linux_virtual_machine.dns["source"].computer_name == "source-vnet-1-dns"
    error_message = "a computer's name has no underscores and no dots"
  }
}
