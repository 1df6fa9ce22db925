#!/bin/sh
# Installs the units beside this script and starts the mirrors, as root. It can be run again: only what changed is touched,
# and mirrors are restarted only then. The first run makes the group and the user mirrorctl, and says what is missing of:
#   install -m 0755 mirrorctl /usr/local/bin/mirrorctl
{%- for name in variables %}
#   install -D -m 0400 FILE-WITH-THE-SECRET /etc/mirrorctl/credentials/{{ name }}
{%- endfor %}
{%- for file in files %}
#   install -D -m 0640 -g mirrorctl FILE /etc/mirrorctl/{{ file }}
{%- endfor %}
{%- for file in absolute_files %}
#   {{ file }} has to be there, readable for the group mirrorctl
{%- endfor %}
{%- if optional_variables %}
#   and these are optional: without keys of AWS the role of the machine is asked for
{%- for name in optional_variables %}
#   install -D -m 0400 FILE-WITH-THE-SECRET /etc/mirrorctl/credentials/{{ name }}
{%- endfor %}
{%- endif %}
set -eu
cd "$(dirname "$0")"

getent group mirrorctl >/dev/null || groupadd --system mirrorctl
getent passwd mirrorctl >/dev/null ||
  useradd --system --gid mirrorctl --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin mirrorctl
install -d -m 0750 -o root -g mirrorctl /etc/mirrorctl

missing=0
need() {
  if [ ! -e "$1" ]; then
    echo "missing: $1" >&2
    missing=1
  fi
}
need /usr/local/bin/mirrorctl
{%- for name in variables %}
need /etc/mirrorctl/credentials/{{ name }}
{%- endfor %}
{%- for file in files %}
need /etc/mirrorctl/{{ file }}
{%- endfor %}
{%- for file in absolute_files %}
need {{ file }}
{%- endfor %}
{%- if optional_variables %}
install -d -m 0700 /etc/mirrorctl/credentials
{%- for name in optional_variables %}
[ -e /etc/mirrorctl/credentials/{{ name }} ] || : >/etc/mirrorctl/credentials/{{ name }}
{%- endfor %}
{%- endif %}
[ "$missing" = 0 ] || exit 1

/usr/local/bin/mirrorctl validate --file topology.yaml

# 0 when the file was put there, 1 when it was there already
put() {
  if cmp -s "$1" "$2"; then
    return 1
  fi
  install -D -m "$3" -o root -g "$4" "$1" "$2" || exit 1
}

units=unchanged
put units/mirrorctl@.service /etc/systemd/system/mirrorctl@.service 0644 root && units=changed
{%- for run in runs %}
put units/mirrorctl@{{ run.mirror }}.service.d/10-mirror.conf \
  /etc/systemd/system/mirrorctl@{{ run.mirror }}.service.d/10-mirror.conf 0644 root && units=changed
{%- endfor %}
# mirrors that the topology has no longer
gone=none
for folder in /etc/systemd/system/mirrorctl@*.service.d; do
  [ -f "$folder/10-mirror.conf" ] || continue
  unit=$(basename "$folder" .d)
  case "$unit" in
{%- for run in runs %}
    mirrorctl@{{ run.mirror }}.service) continue ;;
{%- endfor %}
  esac
  systemctl disable --now "$unit"
  rm "$folder/10-mirror.conf"
  rmdir "$folder" 2>/dev/null || :
  gone=some
done
topology=unchanged
put topology.yaml /etc/mirrorctl/topology.yaml 0640 mirrorctl && topology=changed

[ "$units $gone" = "unchanged none" ] || systemctl daemon-reload
{%- for run in runs %}
systemctl enable mirrorctl@{{ run.mirror }}.service
if ! systemctl is-active --quiet mirrorctl@{{ run.mirror }}.service; then
  systemctl start mirrorctl@{{ run.mirror }}.service
elif [ "$units" = changed ]; then
  systemctl restart mirrorctl@{{ run.mirror }}.service
elif [ "$topology" = changed ]; then
  systemctl reload mirrorctl@{{ run.mirror }}.service
fi
{%- endfor %}
