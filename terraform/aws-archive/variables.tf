variable "bucket_name" {
  description = "The name of the bucket, which no other bucket in the world has."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "3 to 63 small letters, digits, dots and hyphens"
  }
}

variable "log_bucket" {
  description = "A bucket that takes records of who read what. Empty where there is none."
  type        = string
  default     = ""
}

variable "redshift" {
  description = "The Redshift that the tables are made in: a serverless workgroup, or a provisioned cluster with the user that makes it. Null where there is none."
  type = object({
    workgroup = optional(string)
    cluster   = optional(string)
    user      = optional(string)
    database  = string
  })
  default = null

  validation {
    condition     = var.redshift == null || try((var.redshift.workgroup == null) != (var.redshift.cluster == null), false)
    error_message = "either workgroup or cluster"
  }
}

variable "schema" {
  description = "The schema of the tables."
  type        = string
  default     = "poc"

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*$", var.schema))
    error_message = "letters, digits and _, and no digit first"
  }
}

variable "tables" {
  description = "The tables that archived records are loaded into, with the columns that the pipelines write."
  type        = set(string)
  default     = ["hybrid_tweets"]

  validation {
    condition     = alltrue([for table in var.tables : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", table))])
    error_message = "letters, digits and _, and no digit first"
  }
}

variable "expire_old_versions_days" {
  description = "After how many days versions that were replaced go. What is archived is immutable, so there should be none."
  type        = number
  default     = 90
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
