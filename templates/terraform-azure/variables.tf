variable "location" {
  description = "The Azure region of what has no other."
  type        = string
  default     = {{ location | hcl }}
}

variable "create_resource_groups" {
  description = "Whether the resource groups are made here. `terraform destroy` deletes what is made here, with everything in it."
  type        = bool
  default     = true
}

variable "confirm_deletion_of" {
  description = "The names of the resource groups that `terraform destroy` may delete with everything in them. It counts from the next apply on."
  type        = set(string)
  default     = []

  validation {
    condition = length(setsubtract(var.confirm_deletion_of, [
      {%- for name, place in resource_groups %}
      {{ name | hcl }},
      {%- endfor %}
    ])) == 0
    error_message = "not a resource group that is made here"
  }
}

variable "delete_groups_with_everything_in_them" {
  description = "Whether `terraform destroy` may delete a resource group that holds what Terraform did not make."
  type        = bool
  default     = false
}
{%- if base_name %}

variable "base_cluster_name" {
  description = "What the names of the clusters end with."
  type        = string
  default     = {{ base_name | hcl }}

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,40}$", var.base_cluster_name))
    error_message = "1 to 40 letters, digits and hyphens"
  }
}
{%- endif %}

variable "ssh_public_key" {
  description = "The public key of who logs in to the name servers and the replicator."
  type        = string
}
{%- for account in accounts %}

variable "cluster_login_username{{ account.suffix | safe }}" {
  description = "Who logs in to Ambari of {{ account.clusters | join(sep=", ") | comment }}."
  type        = string
  default     = {{ account.login_user | hcl }}
}

variable "cluster_login_password{{ account.suffix | safe }}" {
  description = "The password for Ambari. Set TF_VAR_cluster_login_password{{ account.suffix | safe }}; it is not the one for SSH."
  type        = string
  sensitive   = true
}

variable "ssh_username{{ account.suffix | safe }}" {
  description = "Who logs in to the nodes of {{ account.clusters | join(sep=", ") | comment }}."
  type        = string
  default     = {{ account.ssh_user | hcl }}
}

variable "ssh_password{{ account.suffix | safe }}" {
  description = "The password for the nodes. Set TF_VAR_ssh_password{{ account.suffix | safe }}."
  type        = string
  sensitive   = true
}
{%- endfor %}
{%- if replicator %}

variable "replicator" {
  description = "Where the replicator's machine fetches mirrorctl, and which secrets of Key Vault it reads. Null: no machine."
  type = object({
    binary_url        = string
    binary_sha256     = string
    key_vault_secrets = optional(map(string), {})
    {%- if needs.secret_files %}
    secret_files      = optional(map(string), {})
    {%- endif %}
    key_vault_ids     = optional(map(string), {})
  })
  default = null
  {%- if needs.variables %}

  validation {
    condition     = var.replicator == null || try(length(setsubtract({{ needs.variables | hcl }}, keys(var.replicator.key_vault_secrets))) == 0, false)
    error_message = "the topology reads {% for name in needs.variables %}{{ name }}{% if not loop.last %}, {% endif %}{% endfor %}: `key_vault_secrets` has to hold an address for each"
  }
  {%- endif %}
  {%- if needs.secret_files %}

  validation {
    condition = var.replicator == null || try(length(setsubtract([
      {%- for file in needs.secret_files %}
      {{ file.written | hcl }},
      {%- endfor %}
    ], keys(var.replicator.secret_files))) == 0, false)
    error_message = "the topology reads {% for file in needs.secret_files %}{{ file.written }}{% if not loop.last %}, {% endif %}{% endfor %}: `secret_files` has to hold an address for each"
  }
  {%- endif %}
}
{%- endif %}
