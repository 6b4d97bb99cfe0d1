// 100,000 small writes, then as many small reads, each a system call of its own.
const fs = require('fs');
const path = `${process.argv[2]}/small`, times = 100000;

let file = fs.openSync(path, 'w');
for (let i = 0; i < times; i++) fs.writeSync(file, `${String(i).padStart(7, '0')}\n`);
fs.closeSync(file);
file = fs.openSync(path, 'r');
const buffer = Buffer.alloc(8);
let total = 0;
for (let i = 0; i < times; i++) {
  fs.readSync(file, buffer, 0, 8, null);
  total += Number(buffer.latin1Slice(0, 7));
}
console.log(total);
