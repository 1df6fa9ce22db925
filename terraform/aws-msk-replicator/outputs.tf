output "arn" {
  description = "The ARN of the replicator."
  value       = aws_msk_replicator.this.arn
}
