variable "name" {
  description = "The name of the network, and the beginning of every name in it."
  type        = string
}

variable "cidr" {
  description = "The address range of the VPC."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 28, false)
    error_message = "an IPv4 range such as 10.20.0.0/16; a VPC is between /16 and /28"
  }
}

variable "zones" {
  description = "The availability zones, each of which gets a private subnet."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(distinct(var.zones)) == length(var.zones)
    error_message = "two different zones or more: what lives in one goes down with it"
  }
}

variable "subnets" {
  description = "The ranges of the private subnets, one for each zone. Where empty, the first half of the network is divided evenly."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.subnets) == 0 || length(var.subnets) == length(var.zones)
    error_message = "one subnet for each zone"
  }
}

variable "internet_egress" {
  description = "Whether machines in the private subnets reach the internet (packages, the replicator's binary). Nothing comes in."
  type        = bool
  default     = false
}

variable "egress_subnet" {
  description = "The range of the public subnet that the NAT gateway stands in. Where empty, the last sixteenth of the network, /28 at the smallest; no subnet may lie in it."
  type        = string
  default     = ""
}

variable "peers" {
  description = "VPCs of the same account and region to peer with, by a key of your choice: their range, and the route tables that lead back."
  type = map(object({
    vpc_id       = string
    cidr         = string
    route_tables = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for peer in values(var.peers) : can(cidrhost(peer.cidr, 0))])
    error_message = "cidr is a range such as 10.30.0.0/16"
  }
}

variable "vpns" {
  description = "Networks on premises that are reached by a site-to-site VPN, by a key of your choice. Two tunnels each; routes are static unless the gateway speaks BGP."
  type = map(object({
    gateway_address = string
    cidrs           = list(string)
    bgp             = optional(bool, false)
    asn             = optional(number, 65000)
  }))
  default = {}

  validation {
    condition     = alltrue([for vpn in values(var.vpns) : can(cidrhost("${vpn.gateway_address}/32", 0)) && length(vpn.cidrs) > 0 && alltrue([for range in vpn.cidrs : can(cidrhost(range, 0))])])
    error_message = "gateway_address is a public IPv4 address, and cidrs are the ranges behind it"
  }
}

variable "log_retention_days" {
  description = "For how long records of refused and accepted flows are kept."
  type        = number
  default     = 365
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
