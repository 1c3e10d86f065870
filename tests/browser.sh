#!/bin/sh
# The page tests need a Chromium. Install Debian's where we may; say why they are skipped where we may not.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
# In CI nothing is skipped: there the tests themselves fail without a browser.
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "No Chromium found, and none could be installed: the page tests will be skipped."
