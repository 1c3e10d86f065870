// JSON in the browser's storage, which may be full, or blocked for this page.

/** The stored value, or `fallback` where there is none. */
export function readStored(key, fallback = null, area = "localStorage") {
  try { return JSON.parse(window[area].getItem(key)) ?? fallback; } catch { return fallback; }
}

/** Returns whether the value was stored. */
export function writeStored(key, value, area = "localStorage") {
  try {
    window[area].setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
