# `terraform destroy` stops here, before it deletes anything, unless the group's name was repeated in an apply before it:
#   terraform apply   -var 'confirm_deletion_of=[NAME]'
#   terraform destroy -var 'confirm_deletion_of=[NAME]'
# The same holds where a group is taken out of the topology, or `create_resource_groups` is set to false.
resource "terraform_data" "deletion" {
  for_each = var.create_resource_groups ? toset([
    {%- for name, place in resource_groups %}
    {{ name | hcl }},
    {%- endfor %}
  ]) : toset([])

  # what is kept here at the last apply decides: variables of a destroy are not seen
  input = {
    group     = each.key
    confirmed = contains(var.confirm_deletion_of, each.key)
  }

  provisioner "local-exec" {
    when    = destroy
    command = self.input.confirmed ? "exit 0" : "echo the deletion of this resource group is not confirmed: see deletion.tf && exit 1"
  }

  # what depends on others is deleted before them
  depends_on = [
    module.network,
    {%- for cluster in clusters %}
    module.kafka-{{ cluster.label }},
    {%- endfor %}
    {%- if replicator %}
    module.replicator,
    {%- endif %}
  ]
}
