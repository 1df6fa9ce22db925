#!/bin/sh
# On EMR: reads {{ topic | comment }} from the target cluster and writes it to S3, and from there to Redshift.
set -eu
exec spark-submit \
  --class com.xavient.dataingest.spark.main.SparkIngestionTarget \
  --master yarn \
  --jars {{ redshift_jar | shell }},{{ emrfs_jar | shell }} \
  {{ job_jar | shell }}
