// The same call as curl and as Python. A key is never written into it: it is named by a variable.

import { json, visibleInPython } from "../format.js";

const KEYED = document.body.dataset.keys === "on";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const literal = (value) => visibleInPython(JSON.stringify(value));

/** JSON as a literal of Python. Strings need hardly any change: JSON's escapes are Python's too. */
function python(value, indent = "") {
  const inner = `${indent}    `;
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return literal(value);
  const parts = Array.isArray(value)
    ? value.map((each) => `${inner}${python(each, inner)},\n`)
    : Object.entries(value).map(([name, each]) => `${inner}${literal(name)}: ${python(each, inner)},\n`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return parts.length ? `${open}\n${parts.join("")}${indent}${close}` : open + close;
}

export function taskSnippet(language, { body, file, directive }) {
  const headers = { ...(KEYED ? { "X-API-Key": null } : {}), ...(directive ? { "Cache-Control": directive } : {}) };
  return language === "curl" ? curl(body, file, headers) : requests(body, file, headers);
}

const fields = ({ options, ...others }) => ({ ...others, ...(options ? { options: json(options, 0) } : {}) });

function curl(body, file, headers) {
  const lines = [`curl -i ${location.origin}/api/v1/predict`];
  for (const [name, value] of Object.entries(headers))
    lines.push(value === null ? `  -H "${name}: $ASKONCE_KEY"` : `  -H ${quoted(`${name}: ${value}`)}`);
  if (file) {
    for (const [name, value] of Object.entries(fields(body))) lines.push(`  -F ${quoted(`${name}=${value}`)}`);
    lines.push(`  -F ${quoted(`file=@${file.name}`)}`);
  } else {
    lines.push("  -H 'Content-Type: application/json'", `  -d ${quoted(json(body, 0))}`);
  }
  const poll = `curl ${location.origin}/api/v1/jobs/JOB_ID${KEYED ? ' -H "X-API-Key: $ASKONCE_KEY"' : ""}`;
  return `${lines.join(" \\\n")}\n\n# A 202 names a job; this waits up to 20 s for its end:\n${poll} -H 'Prefer: wait=20'`;
}

function requests(body, file, headers) {
  const named = Object.entries(headers).map(
    ([name, value]) =>
      `    ${literal(name)}: ${value === null ? 'os.environ["ASKONCE_KEY"]' : literal(value)},\n`,
  );
  const sent = file
    ? `    data=${python(fields(body), "    ")},\n    files={"file": open(${literal(file.name)}, "rb")},\n`
    : `    json=${python(body, "    ")},\n`;
  const imports = KEYED ? "import os\n\nimport requests" : "import requests";
  return `${imports}

ASKONCE = ${literal(location.origin)}
session = requests.Session()
session.headers.update({
${named.join("")}    "Prefer": "wait=20",
})
answer = session.post(
    f"{ASKONCE}/api/v1/predict",
${sent}    timeout=60,
).json()
while answer["status"] in {"queued", "in_progress"}:
    answer = session.get(f"{ASKONCE}{answer['urls']['self']}", timeout=60).json()
print(answer["result"] or answer["error"])`;
}

export function chatSnippet(language, body) {
  if (language === "curl") {
    const key = KEYED ? '  -H "Authorization: Bearer $ASKONCE_KEY" \\\n' : "";
    return `curl -N ${location.origin}/v1/chat/completions \\\n${key}  -H 'Content-Type: application/json' \\\n  -d ${quoted(json(body, 0))}`;
  }
  return `${KEYED ? "import os\n\n" : ""}from openai import OpenAI

client = OpenAI(base_url="${location.origin}/v1", api_key=${KEYED ? 'os.environ["ASKONCE_KEY"]' : '"none"'})
stream = client.chat.completions.create(
    model=${literal(body.model)},
    messages=${python(body.messages, "    ")},
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)`;
}
