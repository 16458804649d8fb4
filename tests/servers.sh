#!/usr/bin/env bash
# Installs the real servers that the tests start, where they are missing and where it may.
# Without the right to install it says in one line what to install, and ends well: the tests that
# need a server are then skipped by name (and fail under CI=true). No server is left running.
set -euo pipefail

has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has initdb; }
has_lmtp() { [ -x /usr/lib/dovecot/lmtp ] || [ -x /usr/libexec/dovecot/lmtp ]; }
has_cjk() { compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null; }

missing=()
has dovecot || missing+=(dovecot-imapd)
has_lmtp || missing+=(dovecot-lmtpd)
has smtp-sink || missing+=(postfix)
has_postgres || missing+=(postgresql)
has chromium || has chromium-browser || missing+=(chromium)
has_cjk || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0

words="apt-get install ${missing[*]}"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if has sudo && sudo -n true 2>/dev/null; then sudo=(sudo -n); else
    echo "tests: some servers are missing and will be skipped; to have them: sudo $words"
    exit 0
  fi
fi
if ! has apt-get; then
  echo "tests: some servers are missing and will be skipped; install what Debian calls: ${missing[*]}"
  exit 0
fi

# Packages of servers start them; a policy of "no" keeps them down while we install, and only then.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
  "${sudo[@]}" chmod 755 "$policy"
  trap '"${sudo[@]}" rm -f "$policy"' EXIT
fi

echo "tests: installing ${missing[*]}"
echo "postfix postfix/main_mailer_type select No configuration" | "${sudo[@]}" debconf-set-selections
quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
if ! { "${sudo[@]}" "${quiet[@]}" update &&
  "${sudo[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; }; then
  echo "tests: that failed; the tests that need these will be skipped: ${missing[*]}"
fi
