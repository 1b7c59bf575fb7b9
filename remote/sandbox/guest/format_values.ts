/**
 * What a console writes for some values, as one text. A text in front may have places for others: `%s`, `%d`, `%i`,
 * `%f`, `%j`, `%o`, `%O`, and `%c`, whose value is left out. https://console.spec.whatwg.org/#formatter
 *
 * @param values the values
 */
export function formatValues([first, ...rest]: readonly unknown[]): string {
  if (typeof first !== "string") return [first, ...rest].map(show).join(" ");
  const text = first.replaceAll(/%[sdifjoOc%]/g, (place) => {
    if (place === "%%") return "%";
    return rest.length === 0 ? place : fill(place, rest.shift());
  });
  return [text, ...rest.map(show)].join(" ");
}

function fill(place: string, value: unknown): string {
  switch (place) {
    case "%s":
      return show(value);
    case "%d":
    case "%f":
      return String(typeof value === "bigint" ? value : Number(value));
    case "%i":
      return String(typeof value === "bigint" ? value : Number.parseInt(String(value)));
    case "%j":
      return JSON.stringify(value);
    case "%c":
      return "";
    default:
      return inspect(value);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

function inspect(value: unknown): string {
  return Deno.inspect(value, { depth: 4, iterableLimit: 100 });
}
