// Browsers say who they are in a long line of history; people know them by two words.

const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/(Firefox|FxiOS)\//, 'Firefox'],
  [/(Headless)?Chrom(e|ium)\/|CriOS\//, 'Chrome'],
  [/Version\/.*Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/CrOS/, 'ChromeOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/Linux/, 'Linux'],
];

const named = (agent: string, names: [RegExp, string][]) =>
  names.find(([pattern]) => pattern.test(agent))?.[1];

/** The browser and its system; of a program its own name. */
export function parseAgent(agent: string): {
  name: string | undefined;
  system: string | undefined;
} {
  const browser = named(agent, BROWSERS);
  return {
    name: browser ?? (/^[\w.-]+/.exec(agent)?.[0] || undefined),
    system: browser && named(agent, SYSTEMS),
  };
}
