// Child processes: started in a group of their own, so that Ctrl-C in the terminal reaches this
// script alone and it stops them in order; logs in files; a clear end.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const GRACE = 15_000; // milliseconds from SIGTERM to SIGKILL

/** What runs now, in the order in which it was started. */
const running = new Set();

/**
 * Starts a program whose standard error (and output, unless `readOutput`) goes to `log`.
 * The answer carries `name`, `pid`, `ended` (a promise of {code, signal}) and `isUp()`.
 */
export function start(name, command, args, { env, cwd, log, readOutput = false }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "a");
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", readOutput ? "pipe" : file, file],
  });
  closeSync(file);
  let end = null;
  const ended = new Promise((resolve) => {
    const over = (how) => {
      end = how;
      running.delete(started);
      resolve(how);
    };
    child.once("error", (error) => over({ code: null, signal: null, error }));
    child.once("exit", (code, by) => over({ code, signal: by }));
  });
  const started = { name, child, pid: child.pid, ended, log, isUp: () => end === null };
  running.add(started);
  return started;
}

/** Ends everything that this script started, the last first. */
export async function stopAll() {
  for (const started of [...running].reverse()) await stop(started);
}

// Whatever happens to this script, nothing outlives it.
process.on("exit", () => {
  for (const started of running) signal(started, "SIGKILL");
});

/** Ends a process politely, or in the end not. */
export async function stop(started) {
  if (!started?.isUp()) return;
  signal(started, "SIGTERM");
  const timer = setTimeout(() => signal(started, "SIGKILL"), GRACE);
  await started.ended;
  clearTimeout(timer);
}

/** Sends a signal to a process that may have ended meanwhile. */
export function signal(started, name) {
  if (!started.pid) return; // It could not be started.
  try {
    process.kill(started.pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** What an ended process says about its end, with the last lines of its log. */
export function describeEnd(started, { code, signal: by, error }) {
  const how = error ? `could not be started: ${error.message}` : by ? `was ended by ${by}` : `ended with status ${code}`;
  return `${started.name} ${how}\n${tail(started.log)}`;
}

/** The last lines of a log, indented. */
export function tail(log, lines = 20) {
  let text = "";
  try {
    text = readFileSync(log, "utf8").trimEnd();
  } catch {
    return "  (it wrote no log)";
  }
  const last = text
    .split("\n")
    .slice(-lines)
    .map((line) => `  ${line}`);
  return [`  the end of ${log}:`, ...last].join("\n");
}

/** The first line that a process prints on standard output; fails when it ends before. */
export async function firstLine(started, milliseconds) {
  let text = "";
  let timer;
  const line = new Promise((resolve) => {
    started.child.stdout.setEncoding("utf8");
    started.child.stdout.on("data", (part) => {
      text += part;
      const at = text.indexOf("\n");
      if (at >= 0) resolve(text.slice(0, at));
    });
  });
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${started.name} is not ready after ${milliseconds / 1000} s\n${tail(started.log)}`)), milliseconds);
  });
  const gone = started.ended.then((end) => Promise.reject(new Error(describeEnd(started, end))));
  gone.catch(() => {}); // It may end later, when nobody waits here any more.
  try {
    return await Promise.race([line, late, gone]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `url` until it answers with 200; fails when the process ends or the time is up. */
export async function answers(started, url, milliseconds) {
  const until = Date.now() + milliseconds;
  for (;;) {
    if (!started.isUp()) throw new Error(describeEnd(started, await started.ended));
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: "manual" });
      await answer.arrayBuffer();
      if (answer.status === 200) return;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > until) {
      throw new Error(`${started.name} does not answer on ${url} after ${milliseconds / 1000} s\n${tail(started.log)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
