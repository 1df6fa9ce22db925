variable "resource_groups" {
  description = "Resource groups by name, with their location. Empty where they exist already and belong to somebody else."
  type        = map(string)
  default     = {}
}

variable "networks" {
  description = <<-EOT
    The virtual networks by a key of your choice. The name server takes the fifth address of `dns_subnet`: Azure keeps the
    first four of every subnet to itself. `forwarders` answer what none of these networks knows; 168.63.129.16 is Azure's own.
  EOT
  type = map(object({
    name           = string
    resource_group = string
    location       = string
    address_space  = string
    cluster_subnet = string
    dns_subnet     = string
    forwarders     = optional(list(string), ["168.63.129.16"])
  }))

  validation {
    condition     = length(var.networks) > 0
    error_message = "at least one network is needed"
  }
  validation {
    condition = alltrue([
      for network in values(var.networks) :
      alltrue([for range in [network.address_space, network.cluster_subnet, network.dns_subnet] : can(cidrhost(range, 0))])
    ])
    error_message = "address_space, cluster_subnet and dns_subnet are ranges such as 10.0.0.0/16"
  }
  validation {
    # Azure keeps five addresses of a subnet, and the name server takes one
    condition     = alltrue([for network in values(var.networks) : can(cidrhost(network.dns_subnet, 7))])
    error_message = "a dns_subnet holds eight addresses or more (/29)"
  }
  validation {
    condition = alltrue([
      for network in values(var.networks) :
      length(network.forwarders) > 0 && alltrue([for address in network.forwarders : can(cidrhost("${address}/32", 0))])
    ])
    error_message = "forwarders are IPv4 addresses, and at least one is needed"
  }
}

variable "peerings" {
  description = "Pairs of keys of `networks` that reach each other. Each pair is peered in both directions."
  type        = list(object({ from = string, to = string }))
  default     = []

  validation {
    condition     = alltrue([for pair in var.peerings : pair.from != pair.to])
    error_message = "a network is not peered with itself"
  }
  validation {
    condition     = alltrue([for pair in var.peerings : contains(keys(var.networks), pair.from) && contains(keys(var.networks), pair.to)])
    error_message = "peerings name keys of networks"
  }
}

variable "dns_vm_size" {
  description = "The size of the name servers."
  type        = string
  default     = "Standard_B1ms"
}

variable "admin_username" {
  description = "Who logs in to the name servers."
  type        = string
  default     = "mirrorctl"
}

variable "ssh_public_key" {
  description = "The public key of who logs in to the name servers. They take no passwords."
  type        = string

  validation {
    condition     = can(regex("^(ssh-rsa|ssh-ed25519) ", var.ssh_public_key))
    error_message = "an OpenSSH public key begins with ssh-rsa or ssh-ed25519"
  }
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
