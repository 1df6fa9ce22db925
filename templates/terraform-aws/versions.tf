terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}
{%- for region, label in regions %}

provider "aws" {
  alias  = {{ label | hcl }}
  region = {{ region | hcl }}

  default_tags {
    tags = { managed-by = "terraform" }
  }
}
{%- endfor %}
