variable "name" {
  description = "The name of the log group, a path."
  type        = string

  validation {
    condition     = can(regex("^/[A-Za-z0-9_./#-]{1,511}$", var.name))
    error_message = "A path of letters, digits and _ . / # -."
  }
}

variable "key_description" {
  description = "What the key is for."
  type        = string
}

variable "retention_days" {
  description = "For how long logs are kept."
  type        = number
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}
