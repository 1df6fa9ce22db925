output "bucket" {
  description = "The bucket of the archive."
  value       = aws_s3_bucket.this.bucket
}

output "load_role_arn" {
  description = "The role that Redshift loads with: COPY … IAM_ROLE."
  value       = aws_iam_role.load.arn
}

output "kms_key_arn" {
  description = "The key that objects are encrypted with."
  value       = aws_kms_key.this.arn
}
