variable "name" {
  description = "The name of the cluster, and the beginning of every name in it."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the brokers."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets in different zones; brokers take them in turns."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "at least one subnet"
  }
}

variable "broker_count" {
  description = "How many brokers."
  type        = number
  default     = 3

  validation {
    condition     = var.broker_count >= 1 && floor(var.broker_count) == var.broker_count
    error_message = "one broker or more"
  }
}

variable "instance_type" {
  description = "The size of the brokers."
  type        = string
  default     = "m7i.large"
}

variable "image_id" {
  description = "The machine image. Where empty, the newest Amazon Linux 2023 for the architecture."
  type        = string
  default     = ""
}

variable "architecture" {
  description = "The architecture of the size: arm64 for Graviton (m7g), x86_64 for the others."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64"
  }
}

variable "volume_gib" {
  description = "The data disk of each broker, in GiB."
  type        = number
  default     = 500
}

variable "volumes_per_broker" {
  description = "How many data disks each broker has."
  type        = number
  default     = 1

  validation {
    condition     = var.volumes_per_broker >= 1 && var.volumes_per_broker <= 8
    error_message = "one disk to eight"
  }
}

variable "client_port" {
  description = "The port that clients connect to."
  type        = number
  default     = 9092
}

variable "more_client_ports" {
  description = "Further ports that clients connect to, where brokers listen at several."
  type        = set(number)
  default     = []
}

variable "clients" {
  description = "Ranges of the networks that clients are in."
  type        = list(string)

  validation {
    condition     = alltrue([for range in var.clients : can(cidrhost(range, 0)) && range != "0.0.0.0/0"])
    error_message = "ranges such as 10.20.0.0/16, and not everybody"
  }
}

variable "zone_id" {
  description = "The private zone that brokers are entered in, as b-1, b-2 and so on. Null where there is none."
  type        = string
  default     = null
}

variable "zone" {
  description = "The domain of that zone."
  type        = string
  default     = ""
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
