#!/bin/sh
# The mirror {{ mirror | comment }}, until it is stopped. MirrorMaker leaves out Kafka's internal topics, and nothing else:
# what the topology excludes besides has to be left out of the list.
set -eu
cd "$(dirname "$0")"
exec {{ command | shell }} kafka.tools.MirrorMaker \
  --consumer.config consumer.properties \
  --producer.config producer.properties \
  --num.streams {{ streams }} \
  --whitelist {{ whitelist | shell }}
