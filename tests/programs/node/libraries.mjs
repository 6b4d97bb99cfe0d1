// Packages as they come from the registry, CommonJS and ESM, each worked a little.
import _ from 'lodash';
import dayjs from 'dayjs';
import * as acorn from 'acorn';
import { marked } from 'marked';
import { z } from 'zod';
import { customAlphabet, nanoid } from 'nanoid';

const people = _.range(1, 9).map((n) => ({ name: `p${n}`, age: (n * 37) % 60, city: n % 3 ? 'Ulm' : 'Jena' }));
for (const [city, list] of Object.entries(_.groupBy(_.sortBy(people, 'age'), 'city'))) {
  console.log(city, list.map((one) => one.name).join(' '), _.sumBy(list, 'age'));
}
console.log(_.template('<%= greeting %>, <%= _.upperFirst(name) %>!')({ greeting: 'hi', name: 'ada' }));
console.log(_.debounce.length, _.cloneDeep({ a: [1, { b: 2 }] }).a[1].b, _.chunk('abcdefg', 3).length);

const day = dayjs('2024-02-28T12:00:00Z');
console.log(day.add(2, 'day').format('YYYY-MM-DD'), day.diff('2024-01-01', 'day'), day.isValid());

const tree = acorn.parse('export const f = (a, ...b) => a ?? b; class A { #x = 1 }', { ecmaVersion: 2022, sourceType: 'module' });
const kinds = [];
JSON.stringify(tree, (key, value) => (value?.type && kinds.push(value.type), value));
for (const kind of [...new Set(kinds)].sort()) console.log('node', kind);
try {
  acorn.parse('let let', { ecmaVersion: 2022 });
} catch (error) {
  console.log(error.message);
}

console.log(marked.parse('# Title\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | `2` |\n'));

const shape = z.object({ id: z.number().int(), tags: z.array(z.string()).min(1), when: z.coerce.date().optional() });
console.log(JSON.stringify(shape.parse({ id: 1, tags: ['x'], when: '2020-01-01' })));
const wrong = shape.safeParse({ id: 1.5, tags: [] });
for (const issue of wrong.error.issues) console.log(issue.path.join('.'), issue.code, issue.message);

console.log(nanoid().length, /^[ab]{5}$/.test(customAlphabet('ab', 5)()));
