terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.2"
    }
  }
}

# The subscription comes from ARM_SUBSCRIPTION_ID, who you are from `az login` or ARM_*.
provider "azurerm" {
  features {
    resource_group {
      # otherwise a group with anything in it that Terraform did not make is kept
      prevent_deletion_if_contains_resources = !var.delete_groups_with_everything_in_them
    }
  }
}
