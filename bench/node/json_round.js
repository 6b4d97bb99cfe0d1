// JSON, both ways.
let value = Array.from({ length: 500 }, (_, n) => (
  { number: n, text: `row ${n} äöü`, list: Array.from({ length: 20 }, (_, i) => i), nested: { a: null, b: n / 7 } }));
for (let i = 0; i < 300; i++) value = JSON.parse(JSON.stringify(value, null, 1));
console.log(JSON.stringify(value).length);
