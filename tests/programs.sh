#!/bin/sh
# Programs that tests drive: a Chromium for pages, rsync for publishing, in CI an ssh server of their own.
# Install Debian's where we may; say what is skipped where we may not. In CI nothing is skipped: there the tests fail.
wanted=
{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1 ||
  wanted="$wanted chromium"
command -v rsync >/dev/null 2>&1 || wanted="$wanted rsync"
# Nobody's own machine gets an ssh server by running tests.
if [ -n "$CI" ]; then
  { command -v sshd || [ -x /usr/sbin/sshd ]; } >/dev/null 2>&1 || wanted="$wanted openssh-server openssh-client"
fi
[ -n "$wanted" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2086
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $wanted >/dev/null && exit 0
fi
echo "Not found, and not installed:$wanted. The tests that drive them will be skipped."
