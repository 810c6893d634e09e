// Which view an address names: #requests/<id>?outcome=miss. Keys and texts are never part of it.

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return {
    name: name || "overview",
    id: idOf(rest.join("/")),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** Null for what is no id: nothing, broken escapes, and dots, which even quoted would climb in the path of a call. */
function idOf(text) {
  try {
    const id = decodeURIComponent(text);
    return id === "" || id === "." || id === ".." ? null : id;
  } catch {
    return null;
  }
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
