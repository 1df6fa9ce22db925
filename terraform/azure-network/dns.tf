# One name server a network. Its network card exists before it and tells the suffix of the network's names, so each server can
# be told the suffixes of its neighbours without a cycle.

resource "azurerm_network_interface" "dns" {
  for_each = var.networks

  name                = "${each.value.name}-dns"
  resource_group_name = azurerm_virtual_network.this[each.key].resource_group_name
  location            = each.value.location
  # the server itself asks Azure, also after the network points at it
  dns_servers = ["168.63.129.16"]
  tags        = var.tags

  ip_configuration {
    name                          = "internal"
    subnet_id                     = azurerm_subnet.dns[each.key].id
    private_ip_address_allocation = "Static"
    private_ip_address            = local.dns_address[each.key]
  }
}

resource "azurerm_linux_virtual_machine" "dns" {
  # checkov:skip=CKV_AZURE_50: an extension tells when the name server answers
  for_each = var.networks

  name = "${each.value.name}-dns"
  # which has neither the underscores nor the dots that a network's name may have
  computer_name                   = replace(replace("${each.value.name}-dns", "_", "-"), ".", "-")
  resource_group_name             = azurerm_virtual_network.this[each.key].resource_group_name
  location                        = each.value.location
  size                            = var.dns_vm_size
  admin_username                  = var.admin_username
  disable_password_authentication = true
  network_interface_ids           = [azurerm_network_interface.dns[each.key].id]
  patch_mode                      = "AutomaticByPlatform"
  provision_vm_agent              = true
  tags                            = var.tags

  custom_data = base64encode(templatefile("${path.module}/named.yaml.tftpl", {
    clients = concat(
      [each.value.address_space],
      [for neighbour in local.neighbours[each.key] : var.networks[neighbour].address_space],
    )
    forwarders = each.value.forwarders
    zones = {
      for neighbour in local.neighbours[each.key] :
      azurerm_network_interface.dns[neighbour].internal_domain_name_suffix => local.dns_address[neighbour]
    }
  }))

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

  # packages come through the way out, and the neighbours are reached by the peering
  depends_on = [
    azurerm_subnet_nat_gateway_association.dns,
    azurerm_subnet_network_security_group_association.dns,
    azurerm_virtual_network_peering.this,
  ]
}

# A machine counts as created long before its name server answers. This ends when it does, or fails.
resource "azurerm_virtual_machine_extension" "dns_ready" {
  for_each = var.networks

  name                       = "dns-ready"
  virtual_machine_id         = azurerm_linux_virtual_machine.dns[each.key].id
  publisher                  = "Microsoft.Azure.Extensions"
  type                       = "CustomScript"
  type_handler_version       = "2.1"
  auto_upgrade_minor_version = true
  tags                       = var.tags

  settings = jsonencode({
    commandToExecute = "cloud-init status --wait && systemctl is-active named"
  })
}

resource "azurerm_virtual_network_dns_servers" "this" {
  # checkov:skip=CKV_AZURE_182: one name server a network; brokers keep connections while it restarts
  for_each = var.networks

  virtual_network_id = azurerm_virtual_network.this[each.key].id
  dns_servers        = [local.dns_address[each.key]]

  depends_on = [azurerm_virtual_machine_extension.dns_ready]
}
