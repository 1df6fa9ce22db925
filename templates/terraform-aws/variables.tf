{%- for site in sites %}
variable "vpn_gateway_address_{{ site }}" {
  description = "The public address of the VPN gateway of {{ site }}."
  type        = string
}
{% endfor %}
{%- for cluster in msk %}{% if cluster.scram %}
variable "scram_secret_arns_{{ cluster.label }}" {
  description = "Secrets of Secrets Manager with the SCRAM users of {{ cluster.name | comment }}; their names begin with AmazonMSK_."
  type        = list(string)
}
{% endif %}{% if cluster.certificates %}
variable "certificate_authority_arns_{{ cluster.label }}" {
  description = "Private certificate authorities whose certificates {{ cluster.name | comment }} takes."
  type        = list(string)
}
{% endif %}{% endfor %}
{%- if replicator %}
variable "replicator" {
  description = "Where the replicator's machines fetch mirrorctl, and which secrets (ARNs) they read. Null: no machines."
  type = object({
    binary_url    = string
    binary_sha256 = string
    instance_type = optional(string, "c7i.large")
    architecture  = optional(string, "x86_64")
    size          = optional(number, 2)
    secrets       = optional(map(string), {})
    {%- if needs.secret_files %}
    secret_files  = optional(map(string), {})
    {%- endif %}
    kms_key_arns  = optional(list(string), [])
    observers     = optional(list(string), [])
  })
  default = null
  {%- if needs.variables %}

  validation {
    condition     = var.replicator == null || try(length(setsubtract({{ needs.variables | hcl }}, keys(var.replicator.secrets))) == 0, false)
    error_message = "the topology reads {% for name in needs.variables %}{{ name }}{% if not loop.last %}, {% endif %}{% endfor %}: `secrets` has to hold an ARN for each"
  }
  {%- endif %}
  {%- if needs.secret_files %}

  validation {
    condition = var.replicator == null || try(length(setsubtract([
      {%- for file in needs.secret_files %}
      {{ file.written | hcl }},
      {%- endfor %}
    ], keys(var.replicator.secret_files))) == 0, false)
    error_message = "the topology reads {% for file in needs.secret_files %}{{ file.written }}{% if not loop.last %}, {% endif %}{% endfor %}: `secret_files` has to hold an ARN for each"
  }
  {%- endif %}
}
{% endif %}
{%- if archive %}
variable "archive" {
  description = "The bucket of the archive, and the Redshift that the tables are made in. Null: neither."
  type = object({
    bucket_name = string
    log_bucket  = optional(string, "")
    redshift = optional(object({
      workgroup = optional(string)
      cluster   = optional(string)
      user      = optional(string)
      database  = string
    }))
  })
  default = null
}
{% endif %}
