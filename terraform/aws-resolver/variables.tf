variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "vpc_id" {
  description = "The VPC whose names are answered, and whose machines ask."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets for the endpoints' addresses, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "two subnets or more: an endpoint with one address goes down with its zone"
  }
}

variable "askers" {
  description = "Ranges of the networks that may ask for names of this VPC."
  type        = list(string)

  validation {
    condition     = alltrue([for range in var.askers : can(cidrhost(range, 0)) && range != "0.0.0.0/0"])
    error_message = "ranges such as 10.10.0.0/16, and not everybody"
  }
}

variable "forward" {
  description = "Domains of other networks, each with the addresses of the name servers that know it."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for servers in values(var.forward) : length(servers) > 0 && alltrue([for server in servers : can(cidrhost("${server}/32", 0))])])
    error_message = "each domain has IPv4 addresses of name servers"
  }
}

variable "zone" {
  description = "A private zone to serve, such as kafka.aws.example. Empty where there is none."
  type        = string
  default     = ""
}

variable "peers" {
  description = "Other VPCs of the same account that the zone is served to, by a key of your choice; of another region, with that."
  type = map(object({
    vpc_id = string
    region = optional(string)
  }))
  default = {}
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
