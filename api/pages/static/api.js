// Calls of the API of this server, and of nothing else. The key lives in this variable and ends with the page.

let key = null;

/** What the API, or the way to it, says went wrong, and what to do about it. */
export class Problem extends Error {
  constructor(status, title, detail, more = {}) {
    super(title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.code = more.code ?? null;
    this.errors = more.errors ?? [];
    this.answer = more.answer ?? null;
  }
}

export const keys = new EventTarget();

export const hasKey = () => key !== null;

/** Whether a text may be a key: visible ASCII, as a header can carry it. Anything else no key has. */
export const mayBeKey = (text) => /^[\x21-\x7e]+$/.test(text);

export function useKey(text) {
  key = text || null;
  keys.dispatchEvent(new Event("changed"));
}

/** Send a request; return the response whatever its status. Raises a Problem if there is none. */
export async function send(path, { method = "GET", headers = {}, body, signal } = {}) {
  const given = { ...headers };
  if (key) given.Authorization = `Bearer ${key}`;
  const response = await answered(
    fetch(path, { method, headers: given, body, signal, credentials: "omit", redirect: "error" }),
  );
  if (response.status === 401) keys.dispatchEvent(new Event("wanted"));
  return response;
}

/** Wait for a response, or for its body. Raises a Problem if the connection gives none, or not in time. */
async function answered(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "AskOnce does not answer", "Is it running? make up starts it, or docker compose up -d.");
  }
}

/** Return what came, read as JSON where it is. Raises a Problem if it broke off. */
export async function read(response) {
  const text = await answered(response.text());
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Return the document at a path. Raises a Problem for anything but success. */
export async function get(path, options) {
  const response = await send(path, options);
  const document = await read(response);
  if (!response.ok) throw problemOf(response.status, document);
  return document;
}

/** Return the problem that a document tells, in our shape or in OpenAI's, whose message says all there is to say. */
export function problemOf(status, document) {
  const message = document?.error?.message;
  const found = message ? { title: message, detail: "", ...document.error } : document;
  const title = found?.title || `The answer is ${status}`;
  return new Problem(status, title, message ? found.detail : found?.detail || advice(status), {
    code: found?.code,
    errors: found?.errors,
    answer: document,
  });
}

function advice(status) {
  if (status === 503) return "Try again shortly; /api/v1/health says what is down.";
  return "The log of the API has more, under this response's X-Request-ID.";
}

/** Return a path with those parameters that have a value. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
