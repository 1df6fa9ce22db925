variable "name" {
  description = "The name of the replicator."
  type        = string
}

variable "source_cluster" {
  description = "Where records come from: a cluster that takes IAM, with the subnets and security groups that reach it. MSK reaches it in another region of the same account, too."
  type = object({
    arn                = string
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
}

variable "target_cluster" {
  description = "Where records go to."
  type = object({
    arn                = string
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })

  validation {
    condition     = var.target_cluster.arn != var.source_cluster.arn
    error_message = "a cluster is not replicated to itself"
  }
}

variable "topics" {
  description = "Patterns of topics to replicate."
  type        = list(string)
  default     = [".*"]
}

variable "topics_exclude" {
  description = "Patterns of topics to leave out."
  type        = list(string)
  default     = []
}

variable "groups" {
  description = "Patterns of consumer groups whose offsets are translated."
  type        = list(string)
  default     = [".*"]
}

variable "groups_exclude" {
  description = "Patterns of consumer groups to leave out."
  type        = list(string)
  default     = []
}

variable "sync_group_offsets" {
  description = "Whether the offsets of consumer groups are kept up to date at the target."
  type        = bool
  default     = true
}

variable "identical_names" {
  description = "Whether topics keep their names. Otherwise they get the source's alias in front."
  type        = bool
  default     = true
}

variable "copy_configs" {
  description = "Whether topics' configuration is copied."
  type        = bool
  default     = true
}

variable "copy_acls" {
  description = "Whether topics' ACLs are copied."
  type        = bool
  default     = false
}

variable "starting_position" {
  description = "Where a topic begins: earliest or latest."
  type        = string
  default     = "earliest"

  validation {
    condition     = contains(["earliest", "latest"], var.starting_position)
    error_message = "earliest or latest"
  }
}

variable "compression" {
  description = "What records are compressed with on their way."
  type        = string
  default     = "NONE"

  validation {
    condition     = contains(["NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"], var.compression)
    error_message = "one of NONE, GZIP, SNAPPY, LZ4, ZSTD"
  }
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
