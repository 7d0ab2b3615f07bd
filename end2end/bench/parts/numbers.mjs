// Small statistics over lists of numbers.

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values, share) {
  if (values.length === 0) throw new Error("no values were measured");
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

export const median = (values) => quantile(values, 0.5);

/** With one digit behind the point. */
export const round = (value) => Math.round(value * 10) / 10;
