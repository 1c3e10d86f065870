// Helpers to build elements and to read key events.

/** Create an element; attributes that are undefined are left out, children are nodes or strings. */
export function createElement(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function hasModifier(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}
