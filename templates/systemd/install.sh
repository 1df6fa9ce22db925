#!/bin/sh
# Installs the units beside this script and starts the mirrors, as root. It can be run again: only what changed is touched,
# and mirrors are restarted only then. The first run makes the group and the user {{ user }}, and says what is missing of:
#   install -m 0755 mirrorctl /usr/local/bin/mirrorctl
{%- for name in variables %}
#   install -D -m 0400 FILE-WITH-THE-SECRET {{ folder }}/credentials/{{ name }}
{%- endfor %}
{%- for file in files %}
#   install -D -m 0640 -g {{ user }} FILE {{ folder }}/{{ file }}
{%- endfor %}
{%- for file in absolute_files %}
#   {{ file }} has to be there, readable for the group {{ user }}
{%- endfor %}
{%- for file in credential_files %}
#   {{ file.path }} has to be there; systemd reads it for the units, which do not see it, each time they start
{%- endfor %}
{%- if optional_variables %}
#   and these are optional: without keys of AWS the role of the machine is asked for
{%- for name in optional_variables %}
#   install -D -m 0400 FILE-WITH-THE-SECRET {{ folder }}/credentials/{{ name }}
{%- endfor %}
{%- endif %}
# A new binary, and a secret of these that has changed, are taken up by a restart:
#   systemctl restart '{{ unit }}@*'
{%- if unit == "mirrorctl" %}
# The topology has no name (metadata.name), so that its mirrors and their clusters alone tell it from another one without a name
# on this machine: where others run that it does not have, they are stopped only by
#   install.sh --replace
{%- endif %}
set -eu
case "${1-}" in
{%- if unit == "mirrorctl" %}
  '' | --replace) ;;
  *)
    echo "usage: install.sh [--replace]" >&2
{%- else %}
  '') ;;
  *)
    echo "usage: install.sh" >&2
{%- endif %}
    exit 64
    ;;
esac
cd "$(dirname "$0")"

getent group {{ user }} >/dev/null || groupadd --system {{ user }}
getent passwd {{ user }} >/dev/null ||
  useradd --system --gid {{ user }} --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin {{ user }}
install -d -m 0750 -o root -g {{ user }} {{ folder }}

missing=0
need() {
  if [ ! -e "$1" ]; then
    echo "missing: $1" >&2
    missing=1
  fi
}
need /usr/local/bin/mirrorctl
{%- for name in variables %}
need {{ folder }}/credentials/{{ name }}
{%- endfor %}
{%- for file in files %}
need {{ folder }}/{{ file }}
{%- endfor %}
{%- for file in absolute_files %}
need {{ file }}
{%- endfor %}
{%- for file in credential_files %}
need {{ file.path }}
{%- endfor %}
{%- if optional_variables %}
install -d -m 0700 {{ folder }}/credentials
{%- for name in optional_variables %}
[ -e {{ folder }}/credentials/{{ name }} ] || : >{{ folder }}/credentials/{{ name }}
{%- endfor %}
{%- endif %}
# mirrors of other topologies on this machine listen somewhere, too
for other in /etc/systemd/system/mirrorctl*@*.service.d/10-mirror.conf; do
  [ -f "$other" ] || continue
  case "$other" in
    */{{ unit }}@*) continue ;;
  esac
{%- for listen in listens %}
  if grep -qxF 'Environment=MIRRORCTL_LISTEN={{ listen | comment }}' "$other"; then
    echo "{{ listen | comment }} is taken: $other; render with --set systemd.first-port=PORT" >&2
    missing=1
  fi
{%- endfor %}
done
[ "$missing" = 0 ] || exit 1
{%- if unit == "mirrorctl" %}

# whether the settings of a mirror say this about it; those of earlier versions do not say everything
says() {
  grep -qxF "# $2 $3" "$1" || ! grep -q "^# $2 " "$1"
}

foreign=0
for installed in /etc/systemd/system/mirrorctl@*.service.d/10-mirror.conf; do
  [ -f "$installed" ] || continue
  case "$installed" in
{%- for run in runs %}
    */mirrorctl@{{ run.mirror }}.service.d/*) copies='{{ run.copies | comment }}' clusters={{ run.clusters }} ;;
{%- endfor %}
    *) copies='' ;;
  esac
  if [ -z "$copies" ] || ! says "$installed" copies "$copies"; then
    found=$(sed -n 's/^# //; /^copies /p' "$installed")
  elif ! says "$installed" clusters "$clusters"; then
    found="copies $copies, but other clusters, or the same by other addresses"
  else
    continue
  fi
  echo "not in this topology: $installed ($found)" >&2
  foreign=1
done
if [ "$foreign" = 1 ] && [ "${1-}" != --replace ]; then
  echo "give each topology a name (metadata.name); or, where this one had these mirrors, stop them: install.sh --replace" >&2
  exit 1
fi
{%- else %}

# what was installed before topologies had groups of their own; the credentials are root's
find {{ folder }} -path {{ folder }}/credentials -prune -o ! -group {{ user }} -exec chgrp -h {{ user }} {} +
{%- endif %}

/usr/local/bin/mirrorctl validate --file topology.yaml

# 0 when the file was put there, 1 when it was there already
put() {
  if cmp -s "$1" "$2"; then
    return 1
  fi
  install -D -m "$3" -o root -g "$4" "$1" "$2" || exit 1
}

units=unchanged
put units/{{ unit }}@.service /etc/systemd/system/{{ unit }}@.service 0644 root && units=changed
reload=$units
{%- for run in runs %}
mirror_{{ loop.index }}=$units
put units/{{ unit }}@{{ run.mirror }}.service.d/10-mirror.conf \
  /etc/systemd/system/{{ unit }}@{{ run.mirror }}.service.d/10-mirror.conf 0644 root && mirror_{{ loop.index }}=changed && reload=changed
{%- endfor %}
# mirrors that the topology has no longer
for folder in /etc/systemd/system/{{ unit }}@*.service.d; do
  [ -f "$folder/10-mirror.conf" ] || continue
  gone=$(basename "$folder" .d)
  case "$gone" in
{%- for run in runs %}
    {{ unit }}@{{ run.mirror }}.service) continue ;;
{%- endfor %}
  esac
  systemctl disable --now "$gone"
  rm "$folder/10-mirror.conf"
  rmdir "$folder" 2>/dev/null || :
  reload=changed
done
topology=unchanged
put topology.yaml {{ folder }}/topology.yaml 0640 {{ user }} && topology=changed

[ "$reload" = unchanged ] || systemctl daemon-reload
{%- for run in runs %}
systemctl enable {{ unit }}@{{ run.mirror }}.service
if ! systemctl is-active --quiet {{ unit }}@{{ run.mirror }}.service; then
  systemctl start {{ unit }}@{{ run.mirror }}.service
elif [ "$mirror_{{ loop.index }}" = changed ]; then
  systemctl restart {{ unit }}@{{ run.mirror }}.service
elif [ "$topology" = changed ]; then
  systemctl reload {{ unit }}@{{ run.mirror }}.service
fi
{%- endfor %}
