variable "name" {
  description = "The name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,63}$", var.name))
    error_message = "1 to 64 letters, digits and hyphens"
  }
}

variable "vpc_id" {
  description = "The VPC of the brokers."
  type        = string
}

variable "subnet_ids" {
  description = "Two subnets or three, in different zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 2 || length(var.subnet_ids) == 3
    error_message = "MSK spreads brokers over two zones or three"
  }
}

variable "broker_count" {
  description = "How many brokers: as many in each zone."
  type        = number
  default     = 3

  validation {
    condition     = var.broker_count >= length(var.subnet_ids) && var.broker_count % length(var.subnet_ids) == 0
    error_message = "a multiple of the subnets"
  }
}

variable "instance_type" {
  description = "The size of the brokers."
  type        = string
  default     = "kafka.m7g.large"

  validation {
    condition     = can(regex("^kafka\\.", var.instance_type))
    error_message = "sizes of provisioned brokers begin with kafka."
  }
}

variable "kafka_version" {
  description = "The version of Kafka, of those that MSK offers."
  type        = string
  default     = "3.9.x.kraft"
}

variable "volume_gib" {
  description = "The disk of each broker, in GiB."
  type        = number
  default     = 1000

  validation {
    condition     = var.volume_gib >= 1 && var.volume_gib <= 16384
    error_message = "1 to 16384"
  }
}

variable "broker_config" {
  description = "Broker configuration. What a mirror needs is set already."
  type        = map(string)
  default     = {}
}

variable "iam" {
  description = "Whether clients log in with IAM (port 9098). MSK Replicator needs it."
  type        = bool
  default     = true
}

variable "scram_secret_arns" {
  description = "Secrets of Secrets Manager that hold SCRAM users (port 9096): named AmazonMSK_…, encrypted with a key of one's own. Terraform never reads what is in them."
  type        = list(string)
  default     = []
}

variable "certificate_authority_arns" {
  description = "Private certificate authorities whose certificates clients log in with (port 9094)."
  type        = list(string)
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

variable "log_retention_days" {
  description = "For how long brokers' logs are kept."
  type        = number
  default     = 365
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
