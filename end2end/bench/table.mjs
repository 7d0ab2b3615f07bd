// Tables of benchmarks in the terminal.

const isNumber = (value) => typeof value === "number";
const shown = (value) =>
  value === null || value === undefined ? "" : isNumber(value) ? value.toLocaleString("en-GB", { maximumFractionDigits: 1 }) : String(value);

/** Is the target met? `most` is an upper bound, `least` a lower one. */
export const isMet = ({ value, most, least }) => (most === undefined || value <= most) && (least === undefined || value >= least);

export function printBenchmark({ name, title, rows, targets }) {
  console.log(`\n${name}: ${title}\n`);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => shown(line[at]).length)));
  const right = columns.map((column) => rows.some((row) => isNumber(row[column])));
  lines.forEach((line, at) => {
    console.log(
      `  ${line
        .map((value, column) => shown(value)[right[column] ? "padStart" : "padEnd"](widths[column]))
        .join("  ")
        .trimEnd()}`,
    );
    if (at === 0) console.log(`  ${widths.map((width) => "-".repeat(width)).join("  ")}`);
  });
  if (targets.length) console.log("");
  for (const target of targets) {
    const bound = target.most !== undefined ? `at most ${shown(target.most)}` : `at least ${shown(target.least)}`;
    console.log(`  ${isMet(target) ? "met   " : "MISSED"}  ${target.what}: ${shown(target.value)} ${target.unit} (target: ${bound} ${target.unit})`);
  }
}
