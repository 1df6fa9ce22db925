# Virtual networks whose Kafka brokers can reach each other by name.
#
# HDInsight's nodes are announced under names that only their own network can resolve, so each network has a name server that
# sends questions about the other networks to their name servers. The order matters: a cluster takes the network's name
# servers when it is created, so they have to answer by then. Whoever creates clusters makes them depend on this module.

locals {
  # what to wait for and to refer to, whether the group is made here or was there before
  group_names = merge(
    { for name in toset([for network in values(var.networks) : network.resource_group]) : name => name },
    { for name, group in azurerm_resource_group.this : name => group.name },
  )

  dns_address = { for key, network in var.networks : key => cidrhost(network.dns_subnet, 4) }

  directions = merge([
    for pair in var.peerings : {
      "${pair.from}-to-${pair.to}" = { from = pair.from, to = pair.to }
      "${pair.to}-to-${pair.from}" = { from = pair.to, to = pair.from }
    }
  ]...)

  # which other networks' names each name server passes on
  neighbours = {
    for key in keys(var.networks) : key => distinct([
      for direction in values(local.directions) : direction.to if direction.from == key
    ])
  }
}

resource "azurerm_resource_group" "this" {
  for_each = var.resource_groups

  name     = each.key
  location = each.value
  tags     = var.tags
}

resource "azurerm_virtual_network" "this" {
  for_each = var.networks

  name                = each.value.name
  resource_group_name = local.group_names[each.value.resource_group]
  location            = each.value.location
  address_space       = [each.value.address_space]
  tags                = var.tags

  lifecycle {
    # set below, once the name server answers: it has to install itself with Azure's own name servers first
    ignore_changes = [dns_servers]
  }
}

resource "azurerm_subnet" "cluster" {
  for_each = var.networks

  name                            = "kafka"
  resource_group_name             = azurerm_virtual_network.this[each.key].resource_group_name
  virtual_network_name            = azurerm_virtual_network.this[each.key].name
  address_prefixes                = [each.value.cluster_subnet]
  default_outbound_access_enabled = false
}

resource "azurerm_subnet" "dns" {
  for_each = var.networks

  name                            = "dns"
  resource_group_name             = azurerm_virtual_network.this[each.key].resource_group_name
  virtual_network_name            = azurerm_virtual_network.this[each.key].name
  address_prefixes                = [each.value.dns_subnet]
  default_outbound_access_enabled = false
}

# The way out: HDInsight reports to its service, the name server installs packages. Nothing comes in this way.
resource "azurerm_public_ip" "outbound" {
  for_each = var.networks

  name                = "${each.value.name}-outbound"
  resource_group_name = azurerm_virtual_network.this[each.key].resource_group_name
  location            = each.value.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway" "this" {
  for_each = var.networks

  name                = "${each.value.name}-outbound"
  resource_group_name = azurerm_virtual_network.this[each.key].resource_group_name
  location            = each.value.location
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "this" {
  for_each = var.networks

  nat_gateway_id       = azurerm_nat_gateway.this[each.key].id
  public_ip_address_id = azurerm_public_ip.outbound[each.key].id
}

resource "azurerm_subnet_nat_gateway_association" "cluster" {
  for_each = var.networks

  subnet_id      = azurerm_subnet.cluster[each.key].id
  nat_gateway_id = azurerm_nat_gateway.this[each.key].id

  depends_on = [azurerm_nat_gateway_public_ip_association.this]
}

resource "azurerm_subnet_nat_gateway_association" "dns" {
  for_each = var.networks

  subnet_id      = azurerm_subnet.dns[each.key].id
  nat_gateway_id = azurerm_nat_gateway.this[each.key].id

  depends_on = [azurerm_nat_gateway_public_ip_association.this]
}

# Peered networks count as VirtualNetwork, so brokers reach each other by Azure's default rules, and the internet does not
# reach them. HDInsight's own service has to reach the gateway nodes.
resource "azurerm_network_security_group" "cluster" {
  for_each = var.networks

  name                = "${each.value.name}-kafka"
  resource_group_name = azurerm_virtual_network.this[each.key].resource_group_name
  location            = each.value.location
  tags                = var.tags

  security_rule {
    name                       = "hdinsight-service"
    priority                   = 300
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "HDInsight"
    source_port_range          = "*"
    destination_address_prefix = "VirtualNetwork"
    destination_port_range     = "443"
  }
}

resource "azurerm_network_security_group" "dns" {
  for_each = var.networks

  name                = "${each.value.name}-dns"
  resource_group_name = azurerm_virtual_network.this[each.key].resource_group_name
  location            = each.value.location
  tags                = var.tags

  security_rule {
    name                       = "names"
    priority                   = 300
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "*"
    source_address_prefix      = "VirtualNetwork"
    source_port_range          = "*"
    destination_address_prefix = local.dns_address[each.key]
    destination_port_range     = "53"
  }

  security_rule {
    name                       = "nothing-else"
    priority                   = 4000
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "cluster" {
  for_each = var.networks

  subnet_id                 = azurerm_subnet.cluster[each.key].id
  network_security_group_id = azurerm_network_security_group.cluster[each.key].id
}

resource "azurerm_subnet_network_security_group_association" "dns" {
  for_each = var.networks

  subnet_id                 = azurerm_subnet.dns[each.key].id
  network_security_group_id = azurerm_network_security_group.dns[each.key].id
}

resource "azurerm_virtual_network_peering" "this" {
  for_each = local.directions

  name                         = "${var.networks[each.value.from].name}-to-${var.networks[each.value.to].name}"
  resource_group_name          = azurerm_virtual_network.this[each.value.from].resource_group_name
  virtual_network_name         = azurerm_virtual_network.this[each.value.from].name
  remote_virtual_network_id    = azurerm_virtual_network.this[each.value.to].id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = false
  allow_gateway_transit        = false
}
