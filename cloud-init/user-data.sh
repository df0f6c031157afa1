#!/bin/sh
# Makes a freshly booted machine a node: fetches nodeup, checks its digest, and leaves the rest to nodeup.service.
# It holds no secret, for user-data can be read on the machine as long as it lives.
set -eu

install -d -m 0755 /etc/kopslite /usr/local/bin
cat > /etc/kopslite/boot.json <<'BOOT_CONFIG'
{{BOOT_CONFIG}}
BOOT_CONFIG

nodeup=/usr/local/bin/nodeup
matches() { echo "{{NODEUP_SHA256}}  $1" | sha256sum --check --status 2>/dev/null; }

fetch() {
    for url in {{NODEUP_SOURCES}}; do
        echo "kopslite: fetching nodeup from $url"
        curl --fail --silent --show-error --location --connect-timeout 10 --retry 3 --output "$nodeup.part" "$url" || continue
        if matches "$nodeup.part"; then
            chmod 0755 "$nodeup.part"
            mv "$nodeup.part" "$nodeup"
            return 0
        fi
        echo "kopslite: $url does not serve nodeup with the digest {{NODEUP_SHA256}}" >&2
    done
    echo "kopslite: nodeup could not be fetched; this machine does not become a node" >&2
    return 1
}

matches "$nodeup" || fetch

cat > /etc/systemd/system/nodeup.service <<'UNIT'
{{NODEUP_UNIT}}
UNIT
systemctl daemon-reload
systemctl enable nodeup.service
systemctl start --no-block nodeup.service
