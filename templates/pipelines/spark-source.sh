#!/bin/sh
# On premises: reads {{ topic | comment }} from the source cluster and writes it to HDFS.
set -eu
exec spark-submit \
  --class com.xavient.dataingest.spark.main.SparkIngestionSource \
  --master yarn \
  --jars {{ redshift_jar | shell }} \
  {{ job_jar | shell }}
