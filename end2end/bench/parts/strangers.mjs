// People who are not signed in and never will be: each asks for sign-ins, callbacks, invitations and
// readiness as fast as answers come. In a thread of its own, so that whoever measures is not held up.
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

const PATIENCE = 30_000; // milliseconds for one answer

/**
 * Lets `count` strangers, each from an address of its own (all of 127.0.0.0/8 is this machine), loose
 * on `portal` for `seconds`. Gives how often each request was answered with which status.
 */
export function storm({ portal, count, seconds }) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { portal, count, seconds } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

/** Gives {status, headers}; the body is read to its end and thrown away. */
function ask(url, { from, method = "GET", headers = {}, body }) {
  return new Promise((resolve) => {
    const asked = request(url, { method, headers, localAddress: from, agent: false, timeout: PATIENCE }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve({ status: answer.statusCode, headers: answer.headers }));
      answer.once("error", () => resolve({ status: "cut", headers: {} }));
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve({ status: "none", headers: {} }));
    asked.end(body);
  });
}

async function stranger(number, { portal, until, counts }) {
  const from = `127.0.${1 + Math.floor(number / 200)}.${1 + (number % 200)}`;
  // By number: the name may stand for an address of IPv6, which `from` is not.
  const at = (path) => new URL(path, portal.replace("localhost", "127.0.0.1")).href;
  const host = new URL(portal).host;
  const count = (what, { status }) => (counts[`${what} ${status}`] = (counts[`${what} ${status}`] ?? 0) + 1);
  // Every other one is a browser, which keeps its cookie; the rest bring none, and so are another browser
  // with each request.
  const keeps = number % 2 === 0;
  let kept = "";
  while (Date.now() < until) {
    // One that is never ended, and one that is.
    count("sign-in", await ask(at("/auth/sign-in"), { from, headers: { host, cookie: kept } }));
    const begun = await ask(at("/auth/sign-in"), { from, headers: { host, cookie: kept } });
    count("sign-in", begun);
    const state = /[?&]state=([^&]*)/.exec(begun.headers.location ?? "")?.[1] ?? randomBytes(16).toString("hex");
    const cookie = (begun.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ") || kept;
    if (keeps) kept = cookie;
    const code = randomBytes(60).toString("base64url");
    count("callback", await ask(at(`/auth/callback?state=${state}&code=${code}`), { from, headers: { host, cookie, accept: "text/html" } }));
    const token = randomBytes(32).toString("base64url");
    count("invitation", await ask(at(`/join/${token}`), { from, headers: { host, accept: "text/html" } }));
    const form = { host, origin: portal, accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
    count("join", await ask(at("/api/join"), { from, method: "POST", headers: form, body: `token=${token}` }));
    count("readiness", await ask(at("/readyz"), { from, headers: { host } }));
  }
}

if (!isMainThread && workerData?.portal) {
  const { portal, count, seconds } = workerData;
  const counts = {};
  const until = Date.now() + seconds * 1000;
  await Promise.all(Array.from({ length: count }, (_, number) => stranger(number, { portal, until, counts })));
  parentPort.postMessage(counts);
}
