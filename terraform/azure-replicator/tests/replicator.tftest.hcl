mock_provider "azurerm" {
  mock_resource "azurerm_network_interface" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/networkInterfaces/mock"
    }
  }
  mock_resource "azurerm_linux_virtual_machine" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Compute/virtualMachines/mock"
      identity = {
        principal_id = "00000000-0000-0000-0000-000000000000"
      }
    }
  }
}

variables {
  name                = "replicator"
  resource_group_name = "kafka"
  location            = "westeurope"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.Network/virtualNetworks/mock/subnets/kafka"
  # the public half of a key whose private half nobody kept
  ssh_public_key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCaFdvNhpi4rSi9woQgZy3KbV6EuCkWPmunDvhOiYeYvRVajdAKlVeY9FL+bOpLWq+ES+hBlrqj33TAK7ezfGGc6/mOedbx50sNWqswMlH+ZjqCQ7+v3SrdOYEVwpa5v4MvbD0dc8j9sJotuZ3g+4uYNYceroQF++bzTywTx9ILldlbegxr59fpY+hseshKe82lE+ENd2jsXx4aIk6V9V+vDLKf+14F1J3aI+PxHPPG1tp/9ApApQN6yJfj7qx7TXHr1iW86h2LXbwmomvl0tTZJfmYxU6qMptS5h+nmPwoq5BZ0UAH3H9zT9uK/nCUxwrJIPFCPi87SAFlW6rzWBAV test"
  binary_url     = "https://releases.example/mirrorctl"
  binary_sha256  = "0000000000000000000000000000000000000000000000000000000000000000"
  topology       = "apiVersion: mirrorctl.io/v1\n"
  mirrors        = ["source-to-dest"]
}

run "a_machine" {
  command = apply

  variables {
    key_vault_secrets = { PASSWORD = "https://kafka.vault.azure.net/secrets/password" }
    files             = { "/etc/mirrorctl/certs/ca.pem" = "-----BEGIN CERTIFICATE-----\n" }
    secret_files      = { "/etc/mirrorctl/m.key" = "https://kafka.vault.azure.net/secrets/key" }
    key_vault_ids     = { kafka = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/kafka/providers/Microsoft.KeyVault/vaults/kafka" }
  }
  assert {
    condition     = can(yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)))
    error_message = "cloud-init reads YAML"
  }
  assert {
    condition     = base64decode(yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)).write_files[0].content) == var.topology
    error_message = "the topology arrives as it is"
  }
  assert {
    condition     = strcontains(base64decode(yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)).write_files[1].content), "secrets/password")
    error_message = "the secret is named, not written"
  }
  assert {
    condition = anytrue([
      for file in yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)).write_files :
      file.path == "/etc/mirrorctl/certs/ca.pem" && try(base64decode(file.content), "") == "-----BEGIN CERTIFICATE-----\n"
    ])
    error_message = "a certificate arrives as it is"
  }
  assert {
    condition = anytrue([
      for command in yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)).runcmd :
      strcontains(join(" ", command), "ln -sfn '/run/mirrorctl/${sha256("/etc/mirrorctl/m.key")}' '/etc/mirrorctl/m.key'")
    ])
    error_message = "the path in the topology leads to where the service keeps the secret"
  }
  assert {
    condition     = strcontains(base64decode(yamldecode(base64decode(azurerm_linux_virtual_machine.this.custom_data)).write_files[1].content), "\"${sha256("/etc/mirrorctl/m.key")}\":\"https://kafka.vault.azure.net/secrets/key\"")
    error_message = "the service reads the secret to there"
  }
  assert {
    condition     = azurerm_role_assignment.secrets["kafka"].role_definition_name == "Key Vault Secrets User"
    error_message = "the machine may read secrets, and nothing more"
  }
}

run "without_encryption_no_binary" {
  command = plan
  variables {
    binary_url = "http://releases.example/mirrorctl"
  }
  expect_failures = [var.binary_url]
}

run "a_secret_is_an_address" {
  command = plan
  variables {
    key_vault_secrets = { PASSWORD = "hunter2" }
    secret_files      = { "/etc/mirrorctl/m.key" = "-----BEGIN PRIVATE KEY-----" }
  }
  expect_failures = [var.key_vault_secrets, var.secret_files]
}

run "a_path_is_a_path" {
  command = plan
  variables {
    files = { "ca.pem'; reboot" = "" }
  }
  expect_failures = [var.files]
}
