# A machine that runs the replicator as a service. It takes no connections but from its own network.

resource "azurerm_network_interface" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  ip_configuration {
    name                          = "internal"
    subnet_id                     = var.subnet_id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "this" {
  name                            = var.name
  resource_group_name             = var.resource_group_name
  location                        = var.location
  size                            = var.vm_size
  admin_username                  = var.admin_username
  disable_password_authentication = true
  allow_extension_operations      = false
  network_interface_ids           = [azurerm_network_interface.this.id]
  patch_mode                      = "AutomaticByPlatform"
  provision_vm_agent              = true
  tags                            = var.tags

  custom_data = base64encode(templatefile("${path.module}/replicator.yaml.tftpl", {
    binary_url    = var.binary_url
    binary_sha256 = var.binary_sha256
    topology      = base64encode(var.topology)
    files         = var.files
    secret_files  = var.secret_files
    run = base64encode(templatefile("${path.module}/run.py.tftpl", {
      secrets      = var.key_vault_secrets
      secret_files = var.secret_files
      mirrors      = var.mirrors
    }))
  }))

  identity {
    type = "SystemAssigned"
  }

  admin_ssh_key {
    username   = var.admin_username
    public_key = var.ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
}

resource "azurerm_role_assignment" "secrets" {
  for_each = var.key_vault_ids

  scope                = each.value
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_linux_virtual_machine.this.identity[0].principal_id
}
