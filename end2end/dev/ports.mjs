// Says in clear words when a port is taken, before anything else is done.
//
//   node ports.mjs SETTING HOST:PORT [SETTING HOST:PORT …]
//
// Exits with 1 and a message on standard error when one cannot be used.
import { readFileSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";

/** Splits `host:port`; gives null when it is not of that form. */
export function parseAddress(text) {
  const found = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  if (!found || Number(found[2]) > 65535) return null;
  return { host: found[1].replace(/^\[|\]$/g, ""), port: Number(found[2]) };
}

/** Why nothing can listen there, or null when it can. */
function whyTaken({ host, port }) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once("error", (error) => resolve(error.code ?? error.message));
    probe.listen({ host, port }, () => probe.close(() => resolve(null)));
  });
}

/**
 * A port of the loopback interface that is free now, and that no outgoing connection takes before
 * somebody listens on it: those are given higher ones.
 */
export async function freePort() {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (!(await whyTaken({ host: "127.0.0.1", port }))) return port;
  }
}

/** The `./dev run` of this checkout that is up, if any: its process id and addresses. */
function otherRun() {
  try {
    const run = JSON.parse(readFileSync(new URL("../../.postern/run.json", import.meta.url), "utf8"));
    process.kill(run.pid, 0);
    return run;
  } catch {
    return null;
  }
}

async function main(words) {
  let bad = false;
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [setting, value] = [words[at], words[at + 1]];
    const address = parseAddress(value);
    if (!address) {
      console.error(`dev: ${setting} is "${value}", which is no address: write it like 127.0.0.1:3000`);
      bad = true;
      continue;
    }
    const why = await whyTaken(address);
    if (!why) continue;
    bad = true;
    if (why !== "EADDRINUSE") {
      console.error(`dev: nothing can listen on ${value} (${why}): choose another address with ${setting}`);
      continue;
    }
    console.error(`dev: port ${address.port} is taken: choose another one with the setting ${setting}, for example`);
    console.error(`     ${setting}=${setting.endsWith("_PORT") ? "" : `${address.host}:`}${await freePort()} ./dev run`);
    const run = otherRun();
    if (run) console.error(`     (./dev run is up in this checkout already, as process ${run.pid}: ${run.portal})`);
  }
  process.exitCode = bad ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
