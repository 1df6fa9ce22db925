#!/bin/sh
# The mirror {{ mirror | comment }}, until it is stopped. MirrorMaker leaves out Kafka's internal topics and what the list
# does not match. It knows no pausedTopics and no throttle: those of the topology have no effect here.
set -eu
{%- if held %}
echo "this mirror is {{ held }} in the topology: it copies nothing" >&2
exit 1
{%- endif %}
cd "$(dirname "$0")"
exec {{ command | shell }} kafka.tools.MirrorMaker \
  --consumer.config consumer.properties \
  --producer.config producer.properties \
  --num.streams {{ streams }} \
  --whitelist {{ whitelist | shell }}
