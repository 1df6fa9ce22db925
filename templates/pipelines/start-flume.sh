#!/bin/sh
# The Flume agent of {{ name | comment }}. The four variables hold the keys of Twitter.
set -eu
: "${TWITTER_CONSUMER_KEY:?}" "${TWITTER_CONSUMER_SECRET:?}" "${TWITTER_ACCESS_TOKEN:?}" "${TWITTER_ACCESS_TOKEN_SECRET:?}"
cd "$(dirname "$0")"
exec flume-ng agent -n TwitterAgent -f twitter-kafka.conf --classpath "${FLUME_SOURCES_JAR:-flume-sources-1.0-SNAPSHOT.jar}"
