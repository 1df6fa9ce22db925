# Laid beside a rendered root for Azure. Ids have to look like Azure's, because the provider reads them.
mock_provider "azurerm" {
  mock_resource "azurerm_virtual_network" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock" }
  }
  mock_resource "azurerm_subnet" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock/subnets/mock" }
  }
  mock_resource "azurerm_network_security_group" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/networkSecurityGroups/mock" }
  }
  mock_resource "azurerm_nat_gateway" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/natGateways/mock" }
  }
  mock_resource "azurerm_public_ip" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/publicIPAddresses/mock" }
  }
  mock_resource "azurerm_network_interface" {
    defaults = {
      id                          = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/networkInterfaces/mock"
      internal_domain_name_suffix = "mock.ax.internal.cloudapp.net"
    }
  }
  mock_resource "azurerm_linux_virtual_machine" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Compute/virtualMachines/mock" }
  }
  mock_resource "azurerm_storage_account" {
    defaults = {
      id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Storage/storageAccounts/mock"
      primary_blob_endpoint = "https://mock.blob.core.windows.net/"
      # not a key of any account
      primary_access_key = "bW9jaw=="
    }
  }
}

variables {
  # what was applied is destroyed when the tests end
  confirm_deletion_of    = ["kafka-mirror"]
  cluster_login_password = "Only-for-tests-1"
  ssh_password           = "Only-for-tests-2"
  # the public half of a key whose private half nobody kept
  ssh_public_key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCaFdvNhpi4rSi9woQgZy3KbV6EuCkWPmunDvhOiYeYvRVajdAKlVeY9FL+bOpLWq+ES+hBlrqj33TAK7ezfGGc6/mOedbx50sNWqswMlH+ZjqCQ7+v3SrdOYEVwpa5v4MvbD0dc8j9sJotuZ3g+4uYNYceroQF++bzTywTx9ILldlbegxr59fpY+hseshKe82lE+ENd2jsXx4aIk6V9V+vDLKf+14F1J3aI+PxHPPG1tp/9ApApQN6yJfj7qx7TXHr1iW86h2LXbwmomvl0tTZJfmYxU6qMptS5h+nmPwoq5BZ0UAH3H9zT9uK/nCUxwrJIPFCPi87SAFlW6rzWBAV test"
  replicator = {
    binary_url        = "https://releases.example/mirrorctl"
    binary_sha256     = "0000000000000000000000000000000000000000000000000000000000000000"
    key_vault_secrets = { HDI_PASSWORD = "https://kafka.vault.azure.net/secrets/hdi" }
  }
}

run "everything" {
  command = apply

  assert {
    condition     = length(output.name_servers) == 2
    error_message = "a name server a network"
  }
}

run "two_clusters_of_the_base_name" {
  command = plan

  variables {
    base_cluster_name = "other"
  }
  assert {
    condition     = length(module.replicator) == 1
    error_message = "the replicator's machine"
  }
}
