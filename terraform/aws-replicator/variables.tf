variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the machines."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets that reach both clusters, and have a way out to fetch the binary."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "at least one subnet"
  }
}

variable "size" {
  description = "How many machines. They share mirrors with `tasks`; of others one copies, and more of them stand by and take over within 15 seconds."
  type        = number
  default     = 2

  validation {
    condition     = var.size >= 1 && var.size <= 5
    error_message = "one to five"
  }
}

variable "instance_type" {
  description = "The size of the machines."
  type        = string
  default     = "c7i.large"
}

variable "architecture" {
  description = "The architecture of the size: arm64 for Graviton, x86_64 for the others."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64"
  }
}

variable "binary_url" {
  description = "Where the machines fetch mirrorctl, built for Linux on their architecture."
  type        = string

  validation {
    condition     = startswith(var.binary_url, "https://")
    error_message = "an https:// address"
  }
}

variable "binary_sha256" {
  description = "What the binary's SHA-256 has to be."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.binary_sha256))
    error_message = "64 hexadecimal digits"
  }
}

variable "topology" {
  description = "The topology file, as text. Secrets in it are references."
  type        = string
}

variable "mirrors" {
  description = "The mirrors that run here."
  type        = list(string)

  validation {
    condition     = length(var.mirrors) > 0 && alltrue([for name in var.mirrors : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", name))])
    error_message = "names of mirrors, and at least one"
  }
}

variable "secrets" {
  description = "Environment variables of the replicator, each with the ARN of a secret of Secrets Manager or of a SecureString of Parameter Store. The machines' role reads them when the replicator starts."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, arn in var.secrets : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && can(regex("^arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)", arn))])
    error_message = "NAME = the ARN of a secret or parameter, never its value"
  }
}

variable "files" {
  description = "Files that the topology names, by their paths on the machines: certificates, and nothing secret. With the topology they have to fit into 16 KB of user data."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path in keys(var.files) : can(regex("^(/[A-Za-z0-9._-]+)+$", path))])
    error_message = "absolute paths of letters, digits, dots, underscores and hyphens"
  }
}

variable "secret_files" {
  description = "Files with secrets that the topology names (private keys, passwords), by their paths on the machines, each with an ARN as in `secrets`. They are kept in memory."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path, arn in var.secret_files : can(regex("^(/[A-Za-z0-9._-]+)+$", path)) && can(regex("^arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)", arn))])
    error_message = "PATH = the ARN of a secret or parameter, never its value"
  }
}

variable "kms_key_arns" {
  description = "Keys of your own that those secrets are encrypted with."
  type        = list(string)
  default     = []
}

variable "msk_cluster_arns" {
  description = "MSK clusters that the replicator logs in to with IAM."
  type        = list(string)
  default     = []
}

variable "brokers" {
  description = "Where the brokers of the mirrors' clusters are: ranges of addresses, and the ports in each. A name cannot be a range; brokers that are known by names alone are at 0.0.0.0/0."
  type        = list(object({ range = string, ports = list(number) }))

  validation {
    condition     = alltrue([for it in var.brokers : can(cidrhost(it.range, 0)) && alltrue([for port in it.ports : port >= 1 && port <= 65535])])
    error_message = "ranges such as 10.20.0.0/16, and port numbers"
  }
}

variable "observers" {
  description = "Ranges of the networks that read metrics and health, on port 9464."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.observers : can(cidrhost(range, 0)) && range != "0.0.0.0/0"])
    error_message = "ranges such as 10.20.0.0/16, and not everybody"
  }
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
