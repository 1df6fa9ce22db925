variable "name" {
  description = "The name of the machine."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$", var.name))
    error_message = "2 to 63 small letters, digits and hyphens"
  }
}

variable "resource_group_name" {
  description = "The resource group that the machine lies in."
  type        = string
}

variable "location" {
  description = "The Azure region."
  type        = string
}

variable "subnet_id" {
  description = "A subnet that reaches both clusters, and has a way out to fetch the binary."
  type        = string
}

variable "vm_size" {
  description = "The size of the machine."
  type        = string
  default     = "Standard_D2s_v5"
}

variable "admin_username" {
  description = "Who logs in."
  type        = string
  default     = "mirrorctl"
}

variable "ssh_public_key" {
  description = "The public key of who logs in. Passwords are not taken."
  type        = string

  validation {
    condition     = can(regex("^(ssh-rsa|ssh-ed25519) ", var.ssh_public_key))
    error_message = "an OpenSSH public key begins with ssh-rsa or ssh-ed25519"
  }
}

variable "binary_url" {
  description = "Where the machine fetches mirrorctl, built for Linux on x86-64."
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
  description = "The mirrors that the machine runs."
  type        = list(string)

  validation {
    condition     = length(var.mirrors) > 0 && alltrue([for name in var.mirrors : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", name))])
    error_message = "names of mirrors, and at least one"
  }
}

variable "key_vault_secrets" {
  description = "Environment variables of the replicator, each with the https:// address of a Key Vault secret. The machine's identity reads them when the replicator starts."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, address in var.key_vault_secrets : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && can(regex("^https://[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(/[0-9a-f]+)?$", address))])
    error_message = "NAME = https://VAULT.vault.azure.net/secrets/SECRET"
  }
}

variable "files" {
  description = "Files that the topology names, by their paths on the machine: certificates, and nothing secret."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path in keys(var.files) : can(regex("^(/[A-Za-z0-9._-]+)+$", path))])
    error_message = "absolute paths of letters, digits, dots, underscores and hyphens"
  }
}

variable "secret_files" {
  description = "Files with secrets that the topology names (private keys, passwords), by their paths on the machine, each with an address as in `key_vault_secrets`. They are kept in memory."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path, address in var.secret_files : can(regex("^(/[A-Za-z0-9._-]+)+$", path)) && can(regex("^https://[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(/[0-9a-f]+)?$", address))])
    error_message = "PATH = https://VAULT.vault.azure.net/secrets/SECRET"
  }
}

variable "key_vault_ids" {
  description = "The ids of the vaults that hold those secrets, by a key of your choice: the machine may read secrets in them."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags on everything."
  type        = map(string)
  default     = {}
}
