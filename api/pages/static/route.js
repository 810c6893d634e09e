// Which view an address names: #requests/<id>?outcome=miss. Keys and texts are never part of it.

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, id = null] = path.split("/");
  return {
    name: name || "overview",
    id: id && decodeURIComponent(id),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function address(name, { id, query = {} } = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const path = id ? `${name}/${encodeURIComponent(id)}` : name;
  return given.length ? `#${path}?${new URLSearchParams(given)}` : `#${path}`;
}

/** Change the address without a new entry in the history, and without a new view. */
export function note(name, query) {
  history.replaceState(null, "", address(name, { query }));
}
