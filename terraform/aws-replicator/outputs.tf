output "autoscaling_group_name" {
  description = "The group of the machines."
  value       = aws_autoscaling_group.this.name
}

output "role_arn" {
  description = "The role of the machines: what else it may do is attached to it."
  value       = aws_iam_role.this.arn
}

output "security_group_id" {
  description = "The group of the machines, for rules that let them in."
  value       = aws_security_group.this.id
}
