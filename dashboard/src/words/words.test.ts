import { expect, test } from 'vitest';
import { de } from './de';
import { en } from './en';

type Tree = { [key: string]: string | Tree | ((...given: never[]) => string) };

function paths(tree: Tree, before = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'object' ? paths(value, `${before}${key}.`) : [`${before}${key}`],
  );
}

test('every language has the same texts, and none of them empty', () => {
  expect(paths(de as unknown as Tree).sort()).toEqual(paths(en as unknown as Tree).sort());
  expect(JSON.stringify([en, de])).not.toContain('""');
});
