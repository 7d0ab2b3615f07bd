// Runs a command for `./dev test`: what it prints is shown at once and given back.
import { spawn } from "node:child_process";

import { ROOT } from "./stack.mjs";

const running = new Set();

/** Gives {status, text}; `status` is not a number when it could not be started or was killed. */
export function command(program, args, { env = {}, show = () => true } = {}) {
  return new Promise((resolve) => {
    // A group of its own: so all that it started ends with it.
    const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      const print = (line) => show(line) && process.stdout.write(line);
      stream.setEncoding("utf8");
      stream.on("data", (part) => {
        text += part;
        const lines = (rest + part).split(/(?<=\n)/);
        rest = lines.at(-1).endsWith("\n") ? "" : lines.pop();
        lines.forEach(print);
      });
      stream.on("end", () => rest && print(`${rest}\n`));
    }
    const end = (status) => {
      running.delete(child);
      resolve({ status, text });
    };
    child.once("error", (error) => {
      console.log(`${program}: ${error.message}`);
      end(null);
    });
    child.once("close", end);
  });
}

export function stopCommands() {
  for (const child of running) {
    try {
      process.kill(-child.pid, "SIGTERM");
    } catch {
      // It ended a moment ago.
    }
  }
}
